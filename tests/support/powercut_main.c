/*
 * powercut_cut JOURNAL FOLDER SEED - for scripts: cuts FOLDER down to what a power cut would have
 * left, says how many files lost something, and empties the journal for the next life.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/powercut_cut.h"

int main(int argc, char **argv)
{
        if (argc != 4) {
                (void)fprintf(stderr, "usage: powercut_cut JOURNAL FOLDER SEED\n");
                return 2;
        }
        (void)printf("%zu\n", powercut_apply(argv[1], argv[2], strtoull(argv[3], NULL, 10)));
        return truncate(argv[1], 0) == 0 ? 0 : 1;
}
