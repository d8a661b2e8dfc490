#include "deduplication/dedup_match.h"

#include <string.h>

#include "door/hash.h"
#include "door/status.h"

enum { JARO_MAX = 96 };

/* ---- stored form ---- */

bool dedup_features_pack(const dedup_features *f, door_writer *out)
{
        door_write_u8(out, DEDUP_FEATURES_VERSION);
        door_write_u8(out, f->role);
        door_write_u8(out, f->sex);
        door_write_u8(out, (uint8_t)f->life);
        door_write_u8(out, (uint8_t)f->dob_kind);
        door_write_u32(out, (uint32_t)f->dob_days);
        door_write_u32(out, (uint32_t)f->edd_days);
        door_write_u16(out, f->age_years);
        door_write_u32(out, (uint32_t)f->said_days);
        door_write_u8(out, (uint8_t)((f->nhs_doubtful ? 1 : 0) | (f->upn_doubtful ? 2 : 0)));
        door_write_sized(out, f->given);
        door_write_sized(out, f->middle);
        door_write_sized(out, f->known_as);
        door_write_sized(out, f->surname);
        door_write_sized(out, f->former);
        door_write_sized(out, f->postcode);
        door_write_sized(out, f->house);
        door_write_sized(out, f->nhs);
        door_write_sized(out, f->upn);
        return out->ok;
}

bool dedup_features_unpack(door_bytes bytes, dedup_features *ret_features)
{
        door_cursor_in in = door_reading(bytes);
        dedup_features f;

        memset(&f, 0, sizeof f);
        if (door_read_u8(&in) != DEDUP_FEATURES_VERSION) {
                return false;
        }
        f.role = door_read_u8(&in);
        f.sex = door_read_u8(&in);
        f.life = (dedup_life)door_read_u8(&in);
        f.dob_kind = (dedup_dob_kind)door_read_u8(&in);
        f.dob_days = (int32_t)door_read_u32(&in);
        f.edd_days = (int32_t)door_read_u32(&in);
        f.age_years = door_read_u16(&in);
        f.said_days = (int32_t)door_read_u32(&in);
        const uint8_t doubts = door_read_u8(&in);
        f.nhs_doubtful = (doubts & 1) != 0;
        f.upn_doubtful = (doubts & 2) != 0;
        f.given = door_read_sized(&in);
        f.middle = door_read_sized(&in);
        f.known_as = door_read_sized(&in);
        f.surname = door_read_sized(&in);
        f.former = door_read_sized(&in);
        f.postcode = door_read_sized(&in);
        f.house = door_read_sized(&in);
        f.nhs = door_read_sized(&in);
        f.upn = door_read_sized(&in);
        if (!door_read_done(&in)) {
                return false;
        }
        *ret_features = f;
        return true;
}

/* ---- strings ---- */

uint32_t dedup_similarity(door_bytes a, door_bytes b)
{
        bool taken_a[JARO_MAX] = { false };
        bool taken_b[JARO_MAX] = { false };
        size_t matches = 0;
        size_t transposed = 0;
        size_t prefix = 0;

        if (a.len == 0 || b.len == 0 || a.len > JARO_MAX || b.len > JARO_MAX) {
                return 0;
        }
        const size_t longer = a.len > b.len ? a.len : b.len;
        const size_t window = longer / 2 > 0 ? longer / 2 - 1 : 0;
        for (size_t i = 0; i < a.len; i++) {
                const size_t low = i > window ? i - window : 0;
                const size_t high = i + window + 1 < b.len ? i + window + 1 : b.len;
                for (size_t k = low; k < high; k++) {
                        if (!taken_b[k] && a.data[i] == b.data[k]) {
                                taken_a[i] = true;
                                taken_b[k] = true;
                                matches++;
                                break;
                        }
                }
        }
        if (matches == 0) {
                return 0;
        }
        for (size_t i = 0, k = 0; i < a.len; i++) {
                if (!taken_a[i]) {
                        continue;
                }
                while (!taken_b[k]) {
                        k++;
                }
                transposed += a.data[i] != b.data[k] ? 1 : 0;
                k++;
        }
        const uint32_t m = (uint32_t)matches;
        const uint32_t jaro = (m * 1000 / (uint32_t)a.len + m * 1000 / (uint32_t)b.len +
                               (m - (uint32_t)transposed / 2) * 1000 / m) /
                              3;
        while (prefix < 4 && prefix < a.len && prefix < b.len && a.data[prefix] == b.data[prefix]) {
                prefix++;
        }
        return jaro + (uint32_t)prefix * (1000 - jaro) / 10;
}

void dedup_soundex(door_bytes name, char out[5])
{
        static const char codes[] = "01230120022455012623010202"; /* a … z */
        size_t start = name.len;
        size_t n = 0;
        char last = '0';

        while (start > 0 && name.data[start - 1] != ' ') {
                start--;
        }
        for (size_t i = start; i < name.len && n < 4; i++) {
                const uint8_t c = name.data[i];
                if (c < 'a' || c > 'z') {
                        continue;
                }
                const char code = codes[c - 'a'];
                if (n == 0) {
                        out[n++] = (char)c;
                } else if (code != '0' && code != last) {
                        out[n++] = code;
                }
                if (c != 'h' && c != 'w') {
                        last = code; /* h and w do not part equal codes; vowels do. */
                }
        }
        while (n > 0 && n < 4) {
                out[n++] = '0';
        }
        out[n] = '\0';
}

/* ---- comparing ---- */

#define BITS(tenths) ((tenths)*DEDUP_BIT / 10)

static void step_add(dedup_comparison *c, dedup_column column, uint8_t level, int32_t weight)
{
        if (c->steps_count < DEDUP_STEPS_MAX) {
                c->steps[c->steps_count++] = (dedup_step){ column, level, weight };
        }
        if (column == DEDUP_COLUMN_SURNAME) {
                c->surname += weight;
        } else if (column == DEDUP_COLUMN_ADDRESS) {
                c->address += weight;
        } else {
                c->person += weight;
        }
}

static bool is_initial_of(door_bytes a, door_bytes b)
{
        return a.len > 0 && b.len > 0 && (a.len == 1 || b.len == 1) && a.data[0] == b.data[0];
}

/* The first word: "mary ann" and "mary" are one forename and a middle name kept differently. */
static door_bytes first_word(door_bytes name)
{
        size_t len = 0;
        while (len < name.len && name.data[len] != ' ') {
                len++;
        }
        return (door_bytes){ name.data, len };
}

static bool shares_word(door_bytes a, door_bytes b)
{
        for (size_t i = 0; i < a.len;) {
                const door_bytes word = first_word((door_bytes){ a.data + i, a.len - i });
                for (size_t k = 0; k < b.len;) {
                        const door_bytes other = first_word((door_bytes){ b.data + k, b.len - k });
                        if (word.len > 2 && door_bytes_equal(word, other)) {
                                return true;
                        }
                        k += other.len + 1;
                }
                i += word.len + 1;
        }
        return false;
}

typedef struct given_level {
        uint8_t level;
        int32_t weight;
        bool agrees; /* Near enough not to be another child's name. */
} given_level;

static given_level given_compare(const dedup_features *a, const dedup_features *b)
{
        const door_bytes left = first_word(a->given);
        const door_bytes right = first_word(b->given);

        if (door_bytes_equal(left, right)) {
                return (given_level){ 0, BITS(72), true };
        }
        if ((a->known_as.len > 0 && door_bytes_equal(first_word(a->known_as), right)) ||
            (b->known_as.len > 0 && door_bytes_equal(first_word(b->known_as), left)) ||
            (a->known_as.len > 0 && door_bytes_equal(a->known_as, b->known_as))) {
                return (given_level){ 1, BITS(62), true };
        }
        const uint32_t alike = dedup_similarity(left, right);
        if (alike >= 920) {
                return (given_level){ 2, BITS(52), true };
        }
        if (alike >= 850) {
                return (given_level){ 3, BITS(28), true };
        }
        if (is_initial_of(left, right)) {
                return (given_level){ 4, BITS(20), true };
        }
        if (shares_word(a->middle, b->given) || shares_word(b->middle, a->given)) {
                return (given_level){ 5, BITS(20), true };
        }
        if (alike >= 780) {
                return (given_level){ 6, 0, true };
        }
        return (given_level){ 7, -BITS(48), false };
}

static void surname_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *c)
{
        if (a->surname.len == 0 || b->surname.len == 0) {
                return;
        }
        if (door_bytes_equal(a->surname, b->surname)) {
                step_add(c, DEDUP_COLUMN_SURNAME, 0, BITS(78));
        } else if ((a->former.len > 0 && door_bytes_equal(a->former, b->surname)) ||
                   (b->former.len > 0 && door_bytes_equal(b->former, a->surname))) {
                step_add(c, DEDUP_COLUMN_SURNAME, 1, BITS(70));
        } else if (shares_word(a->surname, b->surname)) {
                step_add(c, DEDUP_COLUMN_SURNAME, 2, BITS(60));
        } else {
                const uint32_t alike = dedup_similarity(a->surname, b->surname);
                if (alike >= 920) {
                        step_add(c, DEDUP_COLUMN_SURNAME, 3, BITS(55));
                } else if (alike >= 860) {
                        step_add(c, DEDUP_COLUMN_SURNAME, 4, BITS(28));
                } else {
                        step_add(c, DEDUP_COLUMN_SURNAME, 5, -BITS(22));
                }
        }
}

/* Names; swapped forename and surname is a level of its own, for both columns at once. */
static bool names_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *c)
{
        bool agrees = true;

        if (a->given.len > 1 && b->given.len > 1 && a->surname.len > 1 && b->surname.len > 1 &&
            !door_bytes_equal(a->given, b->given) &&
            door_bytes_equal(first_word(a->given), first_word(b->surname)) &&
            door_bytes_equal(first_word(a->surname), first_word(b->given))) {
                step_add(c, DEDUP_COLUMN_SWAPPED, 0, BITS(110));
                c->strong++;
                c->strong_not_address++;
                return true;
        }
        if (a->given.len > 0 && b->given.len > 0) {
                const given_level level = given_compare(a, b);
                step_add(c, DEDUP_COLUMN_GIVEN, level.level, level.weight);
                agrees = level.agrees;
        }
        surname_compare(a, b, c);
        if (agrees && c->person >= BITS(52) && c->surname >= BITS(55)) {
                c->strong++;
                c->strong_not_address++;
        }
        if (a->middle.len > 0 && b->middle.len > 0) {
                const bool same = shares_word(a->middle, b->middle) ||
                                  is_initial_of(first_word(a->middle), first_word(b->middle));
                step_add(c, DEDUP_COLUMN_MIDDLE, same ? 0 : 1, same ? BITS(30) : -BITS(12));
        }
        return agrees;
}

static int32_t age_on(int32_t dob_days, int32_t day)
{
        return (day - dob_days) * 100 / 36525;
}

/* How many of the eight digits of two dates differ. */
static uint32_t digits_apart(door_date a, door_date b)
{
        char left[DOOR_DATE_TEXT_BYTES];
        char right[DOOR_DATE_TEXT_BYTES];
        uint32_t apart = 0;

        door_date_print(a, left);
        door_date_print(b, right);
        for (size_t i = 0; i < DOOR_DATE_TEXT_BYTES - 1; i++) {
                apart += left[i] != right[i] ? 1 : 0;
        }
        return apart;
}

static void days_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *c)
{
        const door_date left = door_date_from_days(a->dob_days);
        const door_date right = door_date_from_days(b->dob_days);

        if (a->dob_days == b->dob_days) {
                const bool filler = a->dob_kind == DEDUP_DOB_DEFAULT || b->dob_kind == DEDUP_DOB_DEFAULT;
                step_add(c, DEDUP_COLUMN_DOB, filler ? 1 : 0, filler ? BITS(50) : BITS(128));
                c->default_date |= filler;
                if (!filler) {
                        c->strong++;
                        c->strong_not_address++;
                }
        } else if (left.year == right.year && left.month == right.day && left.day == right.month) {
                step_add(c, DEDUP_COLUMN_DOB, 2, BITS(92));
        } else if (digits_apart(left, right) == 1) {
                step_add(c, DEDUP_COLUMN_DOB, 3, BITS(60));
        } else if (left.month == right.month && left.day == right.day) {
                step_add(c, DEDUP_COLUMN_DOB, 4, BITS(40));
        } else if (left.year == right.year && left.month == right.month) {
                step_add(c, DEDUP_COLUMN_DOB, 5, BITS(16));
        } else if (a->dob_kind == DEDUP_DOB_DEFAULT || b->dob_kind == DEDUP_DOB_DEFAULT) {
                const bool near = left.year - right.year <= 1 && right.year - left.year <= 1;
                step_add(c, DEDUP_COLUMN_DOB, 6, near ? BITS(10) : -BITS(20));
                c->default_date = true;
        } else if (left.year == right.year) {
                step_add(c, DEDUP_COLUMN_DOB, 7, -BITS(25));
        } else {
                step_add(c, DEDUP_COLUMN_DOB, 8, -BITS(75));
        }
}

/* A year or month of birth, or an age said once, against a date or another age. */
static void ages_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *c)
{
        const int32_t day = a->said_days > b->said_days ? a->said_days : b->said_days;
        int32_t ages[2] = { -1, -1 };
        const dedup_features *both[2] = { a, b };

        for (size_t i = 0; i < 2; i++) {
                if (both[i]->dob_kind != DEDUP_DOB_NONE) {
                        ages[i] = age_on(both[i]->dob_days, day);
                } else if (both[i]->age_years != DEDUP_NO_AGE) {
                        ages[i] = (int32_t)both[i]->age_years + age_on(both[i]->said_days, day);
                }
        }
        if (ages[0] < 0 || ages[1] < 0) {
                return;
        }
        const int32_t apart = ages[0] > ages[1] ? ages[0] - ages[1] : ages[1] - ages[0];
        if (apart <= 1) {
                step_add(c, DEDUP_COLUMN_DOB, 9, BITS(28));
        } else if (apart <= 2) {
                step_add(c, DEDUP_COLUMN_DOB, 10, 0);
        } else {
                step_add(c, DEDUP_COLUMN_DOB, 11, apart > 5 ? -BITS(70) : -BITS(35));
        }
}

/* A pregnancy and a child: the expected date against the birth date, or two expected dates. */
static void unborn_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *c)
{
        const int32_t left = a->edd_days != DEDUP_NO_DAY     ? a->edd_days
                             : a->dob_kind != DEDUP_DOB_NONE ? a->dob_days
                                                             : DEDUP_NO_DAY;
        const int32_t right = b->edd_days != DEDUP_NO_DAY     ? b->edd_days
                              : b->dob_kind != DEDUP_DOB_NONE ? b->dob_days
                                                              : DEDUP_NO_DAY;

        if (left == DEDUP_NO_DAY || right == DEDUP_NO_DAY) {
                return;
        }
        const int32_t apart = left > right ? left - right : right - left;
        if (apart <= 14) {
                step_add(c, DEDUP_COLUMN_DOB, 12, BITS(60));
        } else if (apart <= 60) {
                step_add(c, DEDUP_COLUMN_DOB, 13, BITS(25));
        } else if (apart > 150) {
                step_add(c, DEDUP_COLUMN_DOB, 14, -BITS(90));
        }
}

static void dates_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *c)
{
        const bool days = (a->dob_kind == DEDUP_DOB_DAY || a->dob_kind == DEDUP_DOB_DEFAULT) &&
                          (b->dob_kind == DEDUP_DOB_DAY || b->dob_kind == DEDUP_DOB_DEFAULT);

        if (a->life == DEDUP_LIFE_UNBORN || b->life == DEDUP_LIFE_UNBORN) {
                unborn_compare(a, b, c);
        } else if (days) {
                days_compare(a, b, c);
        } else {
                ages_compare(a, b, c);
        }
}

static void address_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *c)
{
        if (a->postcode.len == 0 || b->postcode.len == 0) {
                if (a->house.len > 3 && door_bytes_equal(a->house, b->house)) {
                        step_add(c, DEDUP_COLUMN_ADDRESS, 1, BITS(60));
                }
                return;
        }
        const bool full = a->postcode.len > 4 && b->postcode.len > 4;
        if (full && door_bytes_equal(a->postcode, b->postcode)) {
                const bool house = a->house.len > 0 && dedup_similarity(a->house, b->house) >= 900;
                step_add(c, DEDUP_COLUMN_ADDRESS, house ? 0 : 2, house ? BITS(105) : BITS(72));
                c->strong++;
        } else if (full && a->postcode.len == b->postcode.len &&
                   memcmp(a->postcode.data, b->postcode.data, a->postcode.len - 2) == 0) {
                const bool house = a->house.len > 3 && dedup_similarity(a->house, b->house) >= 930;
                step_add(c, DEDUP_COLUMN_ADDRESS, 3, house ? BITS(75) : BITS(25));
        } else if (a->house.len > 5 && dedup_similarity(a->house, b->house) >= 960) {
                step_add(c, DEDUP_COLUMN_ADDRESS, 4, BITS(20));
        } else {
                step_add(c, DEDUP_COLUMN_ADDRESS, 5, -BITS(8));
        }
}

static void number_compare(door_bytes a, door_bytes b, bool doubtful, dedup_column column, int32_t same,
                           dedup_comparison *c)
{
        if (a.len == 0 || b.len == 0) {
                return;
        }
        if (door_bytes_equal(a, b)) {
                step_add(c, column, doubtful ? 1 : 0, doubtful ? same / 2 : same);
                if (!doubtful) {
                        c->strong++;
                        c->strong_not_address++;
                }
        } else if (!doubtful) {
                /* One digit off is a slip of the pen; more is somebody else, or a relative's number. */
                const bool slip = dedup_similarity(a, b) >= 940;
                step_add(c, column, slip ? 2 : 3, slip ? BITS(10) : -BITS(60));
                c->identifier_conflict |= !slip;
        }
}

static void kinds_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *c)
{
        const bool adult_a = a->life == DEDUP_LIFE_ADULT || a->life == DEDUP_LIFE_PROFESSIONAL;
        const bool adult_b = b->life == DEDUP_LIFE_ADULT || b->life == DEDUP_LIFE_PROFESSIONAL;

        if (a->sex != 0 && b->sex != 0) {
                step_add(c, DEDUP_COLUMN_SEX, a->sex == b->sex ? 0 : 1,
                         a->sex == b->sex ? BITS(9) : -BITS(52));
        }
        /* A child grows up, but father and son of one name do not become each other in a year or
         * two: with dates missing, the role is what keeps them apart. */
        if (a->life != DEDUP_LIFE_UNKNOWN && b->life != DEDUP_LIFE_UNKNOWN && adult_a != adult_b) {
                step_add(c, DEDUP_COLUMN_ROLE, 1, -BITS(95));
        }
}

void dedup_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *ret_comparison)
{
        dedup_comparison c;

        memset(&c, 0, sizeof c);
        const bool named_alike = names_compare(a, b, &c);
        dates_compare(a, b, &c);
        address_compare(a, b, &c);
        number_compare(a->nhs, b->nhs, a->nhs_doubtful || b->nhs_doubtful, DEDUP_COLUMN_NHS, BITS(200), &c);
        number_compare(a->upn, b->upn, a->upn_doubtful || b->upn_doubtful, DEDUP_COLUMN_UPN, BITS(180), &c);
        kinds_compare(a, b, &c);
        const bool one_day =
                a->dob_kind == DEDUP_DOB_DAY && b->dob_kind == DEDUP_DOB_DAY && a->dob_days == b->dob_days;
        if (!named_alike && one_day && a->life != DEDUP_LIFE_ADULT && b->life != DEDUP_LIFE_ADULT) {
                c.twin = true;
                step_add(&c, DEDUP_COLUMN_TWIN, 0, -BITS(160));
        }
        c.total = c.person + c.surname + c.address;
        *ret_comparison = c;
}

/* ---- keys ---- */

typedef struct key_list {
        dedup_key *keys;
        size_t count;
} key_list;

static void key_add(key_list *list, uint8_t type, const door_bytes *parts, size_t count)
{
        door_bytes all[6];

        for (size_t i = 0; i < count; i++) {
                if (parts[i].len == 0) {
                        return; /* A key of something missing would gather everybody. */
                }
                all[i] = parts[i];
        }
        DOOR_REQUIRE(list->count < DEDUP_KEYS_MAX);
        const door_hash hash = door_hash_of(all, count);
        dedup_key *key = &list->keys[list->count++];
        key->bytes[0] = type;
        memcpy(key->bytes + 1, hash.bytes, 8);
}

static door_bytes day_bytes(uint8_t storage[4], int32_t days)
{
        door_put_u32(storage, (uint32_t)days);
        return (door_bytes){ storage, 4 };
}

size_t dedup_keys(const dedup_features *f, bool searching, dedup_key keys[DEDUP_KEYS_MAX])
{
        key_list list = { keys, 0 };
        const bool dated = f->dob_kind == DEDUP_DOB_DAY || f->dob_kind == DEDUP_DOB_DEFAULT;
        const door_bytes given = first_word(f->given);
        const door_bytes initial = { given.data, given.len > 0 ? 1 : 0 };
        const door_bytes full_postcode = f->postcode.len > 4 ? f->postcode : DOOR_BYTES_EMPTY;
        char sound[5];
        uint8_t day[4];
        static const uint8_t part = '|';
        const door_bytes bar = { &part, 1 };

        dedup_soundex(f->surname, sound);
        const door_bytes surname_sound = sound[0] == '\0' ? f->surname : (door_bytes){ (uint8_t *)sound, 4 };
        key_add(&list, 1, &f->nhs, 1);
        key_add(&list, 2, &f->upn, 1);
        if (dated) {
                const door_bytes date = day_bytes(day, f->dob_days);
                key_add(&list, 3, (const door_bytes[]){ surname_sound, bar, date }, 3);
                key_add(&list, 4, (const door_bytes[]){ given, bar, date }, 3);
                const door_date d = door_date_from_days(f->dob_days);
                if (searching && d.day <= 12 && d.day != d.month) {
                        const door_date turned = { d.year, d.day, d.month };
                        uint8_t other[4];
                        const door_bytes swapped = day_bytes(other, door_date_to_days(turned));
                        key_add(&list, 4, (const door_bytes[]){ given, bar, swapped }, 3);
                }
        }
        key_add(&list, 5, (const door_bytes[]){ initial, bar, full_postcode }, 3);
        key_add(&list, 6, (const door_bytes[]){ given, bar, surname_sound }, 3);
        /* An unborn child has no name and no birthday: the surname at the house is all there is to find it
         * by, for the next referral about the pregnancy and for the baby. */
        if (f->life == DEDUP_LIFE_UNBORN || (searching && f->life == DEDUP_LIFE_CHILD)) {
                key_add(&list, 7, (const door_bytes[]){ surname_sound, bar, full_postcode }, 3);
        }
        if (searching) {
                char turned[5];
                dedup_soundex(f->given, turned);
                if (turned[0] != '\0') {
                        key_add(&list, 6,
                                (const door_bytes[]){ first_word(f->surname), bar, { (uint8_t *)turned, 4 } },
                                3);
                }
                if (f->known_as.len > 0) {
                        key_add(&list, 6, (const door_bytes[]){ first_word(f->known_as), bar, surname_sound },
                                3);
                }
        }
        return list.count;
}

bool dedup_address_key(const dedup_features *f, uint8_t out[8])
{
        if (f->postcode.len == 0 || f->house.len == 0) {
                return false;
        }
        const door_bytes parts[] = { f->postcode, { (const uint8_t *)"|", 1 }, f->house };
        const door_hash hash = door_hash_of(parts, 3);
        memcpy(out, hash.bytes, 8);
        return true;
}
