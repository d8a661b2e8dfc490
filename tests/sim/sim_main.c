/*
 * sim_main.c - run seeds, or show that planted faults are caught.
 *
 *   sim --seeds N [--from SEED] [--topology NAME]     the stories and all seeds must pass
 *   sim --seed SEED [--trace]                         one, with what happened
 *   sim --list FILE                                   the seeds that once failed, one a line
 *   sim --tell STORY                                  one story, as it is told now (story.h)
 *   sim_faults --faults N [--from SEED] [--only F]    each planted fault must be caught within N seeds
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/county_plants.h"
#include "sim/plants.h"
#include "sim/scenes.h"
#include "sim/sim.h"
#include "sim/sim_county.h"
#include "sim/sim_post.h"
#include "sim/sim_toys.h"
#include "sim/story.h"

#ifdef DOOR_PLANTED_FAULTS
int door_planted_fault;
#endif

enum { SEED_SECONDS_MAX = 120 };

typedef struct arguments {
        uint64_t seeds;
        uint64_t from;
        uint64_t horizon_ms;
        int only;
        bool faults;
        bool trace;
        bool verbose;
        const char *list;
        const char *tell;
        const char *topology;
} arguments;

static const sim_topology *topologies_at(size_t index)
{
        switch (index) {
        case 0:
                return sim_toys();
        case 1:
                return sim_county();
        case 2:
                return sim_post();
        default:
                return NULL;
        }
}

static void tally_add(sim_tally *to, const sim_tally *from)
{
        const uint64_t *in = (const uint64_t *)from;
        uint64_t *out = (uint64_t *)to;
        for (size_t i = 0; i < sizeof *to / sizeof(uint64_t); i++) {
                out[i] += in[i];
        }
}

/* A machine may also be wrong by never coming back from a step. */
static void hung(int signal_number)
{
        static const char text[] = "sim: FAILED: one seed has taken two minutes; it hangs\n";

        (void)signal_number;
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        _exit(EXIT_FAILURE);
}

static void watchdog_wind(void)
{
        (void)signal(SIGALRM, hung);
        (void)alarm(SEED_SECONDS_MAX);
}

static bool seed_run(const sim_topology *topology, uint64_t seed, const arguments *args, sim_tally *total)
{
        const sim_options options = { .trace = args->trace,
                                      .horizon_ms = args->horizon_ms,
                                      .faults_per_mille = seed % 10 == 0 ? 200 : 1000 };
        sim_result result;

        watchdog_wind();
        sim_run(topology, seed, &options, &result);
        tally_add(total, &result.tally);
        if (!result.ok) {
                (void)printf("FAILED topology %s seed %llu at %.3f s: %s\n", topology->name,
                             (unsigned long long)seed, (double)result.at_ms / 1000.0, result.breach);
        } else if (args->verbose) {
                (void)printf("seed %llu ok: %llu events %llu records %llu parked %llu released\n",
                             (unsigned long long)seed, (unsigned long long)result.tally.events,
                             (unsigned long long)result.audit.records,
                             (unsigned long long)result.audit.parked,
                             (unsigned long long)result.audit.released);
        }
        (void)fflush(stdout);
        return result.ok;
}

/* A hundred in a thousand seeds, counted where there are seeds enough to count by. How many are too rare. */
static int rare_count(const sim_topology *topology, uint64_t seeds, const sim_tally *total)
{
        enum { SEEDS_ENOUGH = 400, PER_SEEDS = 10 };
        int rare = 0;

        for (size_t k = 0; k < topology->forced_count && seeds >= SEEDS_ENOUGH; k++) {
                const size_t i = topology->forced_first + k;
                if (total->told[i] < seeds / PER_SEEDS) {
                        (void)printf("FAILED topology %s: %s happened %llu times in %llu seeds, too seldom "
                                     "to be tested\n",
                                     topology->name, topology->told[i], (unsigned long long)total->told[i],
                                     (unsigned long long)seeds);
                        rare++;
                }
        }
        return rare;
}

static int seeds_run(const arguments *args)
{
        watchdog_wind();
        int failed = args->verbose ? 0 : scenes_check() + stories_check();

        for (size_t t = 0; topologies_at(t) != NULL; t++) {
                const sim_topology *topology = topologies_at(t);
                sim_tally total = { 0 };
                if (args->topology != NULL && strcmp(args->topology, topology->name) != 0) {
                        continue;
                }
                for (uint64_t i = 0; i < args->seeds; i++) {
                        failed += seed_run(topology, args->from + i, args, &total) ? 0 : 1;
                        if (failed >= 10) {
                                break;
                        }
                }
                (void)printf(
                        "%s: seeds %llu..%llu: %d failed; events %llu frames %llu dropped %llu late %llu "
                        "kills %llu stops %llu aborts %llu commit failures %llu clock jumps %llu sleeps "
                        "%llu partitions %llu disk %llu corrupted %llu commands %llu retries %llu "
                        "conflicts %llu releases %llu effects %llu questions %llu current %llu virtual %llu "
                        "s\n",
                        topology->name, (unsigned long long)args->from,
                        (unsigned long long)(args->from + args->seeds - 1), failed,
                        (unsigned long long)total.events, (unsigned long long)total.frames,
                        (unsigned long long)total.dropped, (unsigned long long)total.late,
                        (unsigned long long)total.kills, (unsigned long long)total.clean_stops,
                        (unsigned long long)total.aborts, (unsigned long long)total.commit_failures,
                        (unsigned long long)total.clock_jumps, (unsigned long long)total.sleeps,
                        (unsigned long long)total.partitions, (unsigned long long)total.disk_full,
                        (unsigned long long)total.corrupted, (unsigned long long)total.commands,
                        (unsigned long long)total.retries, (unsigned long long)total.conflicts,
                        (unsigned long long)total.releases, (unsigned long long)total.effects,
                        (unsigned long long)total.questions, (unsigned long long)total.current,
                        (unsigned long long)(total.virtual_ms / 1000));
                for (size_t i = 0; topology->told != NULL && topology->told[i] != NULL; i++) {
                        (void)printf("%s %s %llu", i == 0 ? "   " : ",", topology->told[i],
                                     (unsigned long long)total.told[i]);
                }
                (void)printf("%s", topology->told != NULL ? "\n" : "");
                failed += rare_count(topology, args->seeds, &total);
        }
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int list_run(const arguments *args)
{
        FILE *file = fopen(args->list, "r");
        char line[128];
        int failed = 0;
        sim_tally total = { 0 };

        if (file == NULL) {
                (void)fprintf(stderr, "sim: cannot open %s\n", args->list);
                return 2;
        }
        while (fgets(line, sizeof line, file) != NULL) {
                char name[64];
                unsigned long long seed = 0;
                if (line[0] == '#' || sscanf(line, "%63s %llu", name, &seed) != 2) {
                        continue;
                }
                for (size_t t = 0; topologies_at(t) != NULL; t++) {
                        if (strcmp(topologies_at(t)->name, name) == 0) {
                                failed += seed_run(topologies_at(t), seed, args, &total) ? 0 : 1;
                        }
                }
        }
        (void)fclose(file);
        (void)printf("list %s: %d failed\n", args->list, failed);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#ifdef DOOR_PLANTED_FAULTS
/*
 * One run in a process of its own: a machine with a fault may well stop at one of its own
 * invariants, and that is a catch too. True when something was wrong; says what.
 */
static bool run_apart(const sim_topology *topology, uint64_t seed, const sim_options *options, char *breach,
                      size_t breach_bytes)
{
        int ends[2];
        int status = 0;

        if (pipe(ends) != 0) {
                abort();
        }
        const pid_t child = fork();
        if (child == 0) {
                sim_result result;
                (void)close(STDERR_FILENO);
                watchdog_wind();
                sim_run(topology, seed, options, &result);
                (void)!write(ends[1], result.breach, strlen(result.breach));
                _exit(result.ok ? 0 : 1);
        }
        (void)close(ends[1]);
        const ssize_t got = read(ends[0], breach, breach_bytes - 1);
        breach[got > 0 ? got : 0] = '\0';
        (void)close(ends[0]);
        (void)waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) {
                (void)snprintf(breach, breach_bytes, "the machine stopped at an invariant of its own");
        }
        return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* The seeds a planted fault needs until it is caught, or 0. */
static uint64_t fault_hunt(int fault, const arguments *args, char *breach, size_t breach_bytes)
{
        door_planted_fault = fault;
        for (uint64_t i = 0; i < args->seeds; i++) {
                const sim_options options = { .planted = fault,
                                              .horizon_ms = args->horizon_ms,
                                              .faults_per_mille = 1000 };
                for (size_t t = 0; topologies_at(t) != NULL; t++) {
                        if (run_apart(topologies_at(t), args->from + i, &options, breach, breach_bytes)) {
                                return i + 1;
                        }
                }
        }
        return 0;
}

static int faults_run(const arguments *args)
{
        static const struct {
                int number;
                const char *name;
        } plants[] = {
#define X(number, name) { number, name },
                SIM_PLANTS(X) COUNTY_PLANTS(X)
#undef X
        };
        int missed = 0;

        for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
                char breach[360] = "";
                if (args->only != 0 && args->only != plants[i].number) {
                        continue;
                }
                const uint64_t seeds = fault_hunt(plants[i].number, args, breach, sizeof breach);
                missed += seeds == 0 ? 1 : 0;
                (void)printf("%2d %-58s %s%llu  %s\n", plants[i].number, plants[i].name,
                             seeds == 0 ? "NOT CAUGHT in " : "caught at seed ",
                             (unsigned long long)(seeds == 0 ? args->seeds : seeds), breach);
                (void)fflush(stdout);
        }
        (void)printf("planted faults: %zu, not caught: %d\n", sizeof plants / sizeof plants[0], missed);
        return missed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif

static int usage(void)
{
        (void)fprintf(stderr,
                      "usage: sim --seeds N [--from SEED] [--topology NAME] | --seed SEED [--trace] | "
                      "--list FILE | --tell STORY | --faults N [--only F]\n");
        return 2;
}

int main(int argc, char **argv)
{
        arguments args = { .seeds = 20, .from = 1, .horizon_ms = 60000 };

        for (int i = 1; i < argc; i++) {
                const bool more = i + 1 < argc;
                if (strcmp(argv[i], "--seeds") == 0 && more) {
                        args.seeds = strtoull(argv[++i], NULL, 10);
                } else if (strcmp(argv[i], "--from") == 0 && more) {
                        args.from = strtoull(argv[++i], NULL, 10);
                } else if (strcmp(argv[i], "--seed") == 0 && more) {
                        args.from = strtoull(argv[++i], NULL, 10);
                        args.seeds = 1;
                        args.verbose = true;
                } else if (strcmp(argv[i], "--horizon-ms") == 0 && more) {
                        args.horizon_ms = strtoull(argv[++i], NULL, 10);
                } else if (strcmp(argv[i], "--list") == 0 && more) {
                        args.list = argv[++i];
                } else if (strcmp(argv[i], "--tell") == 0 && more) {
                        args.tell = argv[++i];
                } else if (strcmp(argv[i], "--topology") == 0 && more) {
                        args.topology = argv[++i];
                } else if (strcmp(argv[i], "--faults") == 0 && more) {
                        args.faults = true;
                        args.seeds = strtoull(argv[++i], NULL, 10);
                } else if (strcmp(argv[i], "--only") == 0 && more) {
                        args.only = atoi(argv[++i]);
                } else if (strcmp(argv[i], "--trace") == 0) {
                        args.trace = true;
                } else {
                        return usage();
                }
        }
        if (args.list != NULL) {
                return list_run(&args);
        }
        if (args.tell != NULL) {
                return story_tell(args.tell, stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        if (args.faults) {
#ifdef DOOR_PLANTED_FAULTS
                return faults_run(&args);
#else
                (void)fprintf(stderr, "this binary is the real machine: nothing is planted in it\n");
                return 2;
#endif
        }
        return seeds_run(&args);
}
