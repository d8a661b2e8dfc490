/*
 * Goal: whom a command acts for is read from its actor, whole or not at all.
 * Method: the three roles, and each way to be none of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "door/actor.h"

static void assert_text(door_bytes bytes, const char *text)
{
        assert_true(door_bytes_equal(bytes, door_bytes_of(text)));
}

static void a_role_and_a_name_are_read(void **state)
{
        door_actor actor;

        (void)state;
        assert_true(door_actor_read(door_bytes_of("training/triage/jo"), &actor));
        assert_text(actor.role, "triage");
        assert_text(actor.name, "jo");
        assert_int_equal(actor.team.len, 0);
}

static void a_team_is_told_from_its_role(void **state)
{
        door_actor actor;

        (void)state;
        assert_true(door_actor_read(door_bytes_of("training/team-stroud-11-25/sam/2"), &actor));
        assert_text(actor.role, "team-stroud-11-25");
        assert_text(actor.team, "stroud-11-25");
        assert_text(actor.name, "sam/2");
}

static void anything_else_is_nobody(void **state)
{
        static const char *const nobody[] = { "",
                                              "jo",
                                              "training/",
                                              "training/triage",
                                              "training/triage/",
                                              "training//jo",
                                              "training/team-/jo",
                                              "Training/triage/jo",
                                              "live/triage/jo",
                                              "x/training/triage/jo" };
        door_actor actor;

        (void)state;
        for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
                assert_false(door_actor_read(door_bytes_of(nobody[i]), &actor));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_role_and_a_name_are_read),
                cmocka_unit_test(a_team_is_told_from_its_role),
                cmocka_unit_test(anything_else_is_nobody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
