#include "door/working_time.h"

#include "door/calendar.h"

enum { DAYS_PER_WEEK = 7, SATURDAY = 5, SUNDAY = 6, MONTH_MARCH = 3, MONTH_OCTOBER = 10 };
#define MS_PER_MINUTE INT64_C(60000)
#define MS_PER_HOUR   INT64_C(3600000)
#define MS_PER_DAY    INT64_C(86400000)

/* 0 is Monday; 1970-01-01 was a Thursday. */
static int32_t weekday(int32_t day)
{
        const int32_t shifted = (day + 3) % DAYS_PER_WEEK;
        return shifted < 0 ? shifted + DAYS_PER_WEEK : shifted;
}

/* 01:00 UTC on the last Sunday of a month of 31 days, which both are. */
static int64_t last_sunday_ms(int32_t year, uint8_t month)
{
        const int32_t last = door_date_to_days((door_date){ year, month, 31 });
        const int32_t sunday = last - (weekday(last) + 1) % DAYS_PER_WEEK;

        return (int64_t)sunday * MS_PER_DAY + MS_PER_HOUR;
}

static int64_t offset_ms(int64_t utc_ms)
{
        const int32_t year = door_date_from_days((int32_t)(utc_ms / MS_PER_DAY)).year;
        const bool summer =
                utc_ms >= last_sunday_ms(year, MONTH_MARCH) && utc_ms < last_sunday_ms(year, MONTH_OCTOBER);

        return summer ? MS_PER_HOUR : 0;
}

/* What London's clocks show, as if it were UTC. Instants past the calendar's end show its last. */
static int64_t local_ms(uint64_t at_ms)
{
        const uint64_t last_ms = UINT64_C(253402300799999);
        const int64_t utc_ms = (int64_t)(at_ms < last_ms ? at_ms : last_ms);

        return utc_ms + offset_ms(utc_ms);
}

int32_t door_london_day(uint64_t at_ms)
{
        return (int32_t)(local_ms(at_ms) / MS_PER_DAY);
}

uint32_t door_london_minute(uint64_t at_ms)
{
        return (uint32_t)(local_ms(at_ms) % MS_PER_DAY / MS_PER_MINUTE);
}

uint64_t door_london_instant(int32_t day, uint32_t minute)
{
        const int64_t local = (int64_t)day * MS_PER_DAY + (int64_t)minute * MS_PER_MINUTE;

        if (local < MS_PER_HOUR) {
                return local < 0 ? 0 : (uint64_t)local; /* January: no summer time to take off. */
        }
        const int64_t in_summer = local - MS_PER_HOUR;
        return (uint64_t)(offset_ms(in_summer) == MS_PER_HOUR ? in_summer : local);
}

bool door_working_day(const door_working *w, int32_t day)
{
        if (weekday(day) == SATURDAY || weekday(day) == SUNDAY) {
                return false;
        }
        for (size_t i = 0; i < w->holidays_count; i++) {
                if (w->holidays[i] == day) {
                        return false;
                }
        }
        return true;
}

bool door_working_time(const door_working *w, uint64_t at_ms)
{
        const uint32_t minute = door_london_minute(at_ms);

        return minute >= w->from_min && minute < w->to_min && door_working_day(w, door_london_day(at_ms));
}

uint64_t door_working_add(const door_working *w, uint64_t from_ms, uint32_t working_minutes)
{
        uint64_t left_ms = (uint64_t)working_minutes * (uint64_t)MS_PER_MINUTE;
        const int32_t first = door_london_day(from_ms);

        for (int32_t day = first; day < first + DOOR_WORKING_DAYS_MAX && w->from_min < w->to_min; day++) {
                if (!door_working_day(w, day)) {
                        continue;
                }
                const uint64_t opens_ms = door_london_instant(day, w->from_min);
                const uint64_t closes_ms = door_london_instant(day, w->to_min);
                const uint64_t at_ms = from_ms > opens_ms ? from_ms : opens_ms;
                if (at_ms >= closes_ms) {
                        continue;
                }
                if (left_ms <= closes_ms - at_ms) {
                        return at_ms + left_ms;
                }
                left_ms -= closes_ms - at_ms;
        }
        return from_ms + (uint64_t)working_minutes * (uint64_t)MS_PER_MINUTE;
}

uint64_t door_statutory_due(const door_working *w, uint64_t received_ms)
{
        const int32_t first = door_london_day(received_ms) + 1;

        for (int32_t day = first; day < first + DOOR_WORKING_DAYS_MAX; day++) {
                if (door_working_day(w, day)) {
                        return door_london_instant(day, DOOR_WORKING_TO_MIN);
                }
        }
        return door_london_instant(first, DOOR_WORKING_TO_MIN);
}
