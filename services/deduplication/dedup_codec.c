#include "deduplication/dedup_codec.h"

#include <string.h>

#include "deduplication/dedup_district.h"
#include "deduplication/dedup_records.h"
#include "door/calendar.h"
#include "door/identifiers.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/envelope.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "shell/proto_arena.h"

/* The core names these numbers itself, because it may not know protobuf. */
#define SAME(core, proto) _Static_assert((int)(core) == (int)(proto), #core)
SAME(DEDUP_INPUT_REFERRAL_RECEIVED, DOOR__V1__INTAKE_EVENT__INTAKE_REFERRAL_RECEIVED);
SAME(DEDUP_REFERRAL_MATCHED, DOOR__V1__DEDUP_EVENT__DEDUP_REFERRAL_MATCHED);
SAME(DEDUP_NEW, DOOR__V1__DECISION__DECISION_NEW);
SAME(DEDUP_LINK, DOOR__V1__DECISION__DECISION_LINK);
SAME(DEDUP_REVIEW, DOOR__V1__DECISION__DECISION_REVIEW);
SAME(DEDUP_DOUBT_CHILD_NOT_RESOLVED, DOOR__V1__ATTACH_DOUBT__DOUBT_CHILD_NOT_RESOLVED);
SAME(DEDUP_DOUBT_ADOPTION, DOOR__V1__ATTACH_DOUBT__DOUBT_ADOPTION);
SAME(DEDUP_COLUMN_MIDDLE, DOOR__V1__COMPARE_COLUMN__COLUMN_MIDDLE_NAMES);
SAME(DEDUP_COLUMN_TWIN, DOOR__V1__COMPARE_COLUMN__COLUMN_TWIN);
SAME(DEDUP_COLUMN_UPN, DOOR__V1__COMPARE_COLUMN__COLUMN_UPN);

enum {
        FACT_ADOPTED = DOOR__V1__PERSON_FACT__PERSON_ADOPTED,
        MS_PER_DAY = 86400000,
        HOUSE_BYTES_MAX = 64,
        DISTRICT_BYTES = 9,  /* A GSS code. */
        FLAT_BYTES_MAX = 12, /* A first part this short is a flat, or a number. */
};

/* ---- names ---- */

/* U+00C0 … U+017F without their marks; "" where there is no Latin letter. */
static const char *const latin[] = {
        "a", "a", "a",  "a",  "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",  /* C0 */
        "d", "n", "o",  "o",  "o", "o", "o",  "",  "o", "u", "u", "u", "u", "y", "th", "ss", /* D0 */
        "a", "a", "a",  "a",  "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",  /* E0 */
        "d", "n", "o",  "o",  "o", "o", "o",  "",  "o", "u", "u", "u", "u", "y", "th", "y",  /* F0 */
        "a", "a", "a",  "a",  "a", "a", "c",  "c", "c", "c", "c", "c", "c", "c", "d",  "d",  /* 100 */
        "d", "d", "e",  "e",  "e", "e", "e",  "e", "e", "e", "e", "e", "g", "g", "g",  "g",  /* 110 */
        "g", "g", "g",  "g",  "h", "h", "h",  "h", "i", "i", "i", "i", "i", "i", "i",  "i",  /* 120 */
        "i", "i", "ij", "ij", "j", "j", "k",  "k", "k", "l", "l", "l", "l", "l", "l",  "l",  /* 130 */
        "l", "l", "l",  "n",  "n", "n", "n",  "n", "n", "n", "n", "n", "o", "o", "o",  "o",  /* 140 */
        "o", "o", "oe", "oe", "r", "r", "r",  "r", "r", "r", "s", "s", "s", "s", "s",  "s",  /* 150 */
        "s", "s", "t",  "t",  "t", "t", "t",  "t", "u", "u", "u", "u", "u", "u", "u",  "u",  /* 160 */
        "u", "u", "u",  "u",  "w", "w", "y",  "y", "y", "z", "z", "z", "z", "z", "z",  "s",  /* 170 */
};

static bool is_filler(door_bytes word)
{
        static const char *const fillers[] = { "unknown", "unborn", "baby",  "unk",    "unnamed", "tbc", "nk",
                                               "na",      "none",   "child", "infant", "mr",      "mrs", "ms",
                                               "miss",    "dr",     "not",   "known",  "given",   "of" };
        for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
                if (door_bytes_equal(word, door_bytes_of(fillers[i]))) {
                        return true;
                }
        }
        return false;
}

/* Ends the word under construction: a filler is taken out again. */
static void word_end(uint8_t *out, size_t *len, size_t *start)
{
        if (*len > *start && is_filler((door_bytes){ out + *start, *len - *start })) {
                *len = *start;
        }
        if (*len > *start) {
                out[(*len)++] = ' ';
        }
        *start = *len;
}

/* One character of the name, folded onto out; returns how many bytes of the name it took. */
static size_t fold_character(const uint8_t *at, size_t left, uint8_t *out, size_t *len, bool *ret_ends)
{
        *ret_ends = false;
        if (at[0] < 0x80) {
                if (at[0] >= 'A' && at[0] <= 'Z') {
                        out[(*len)++] = (uint8_t)(at[0] - 'A' + 'a');
                } else if ((at[0] >= 'a' && at[0] <= 'z') || (at[0] >= '0' && at[0] <= '9')) {
                        out[(*len)++] = at[0];
                } else if (at[0] != '\'' && at[0] != '`' && at[0] != '.') {
                        *ret_ends = true;
                }
                return 1;
        }
        const size_t width = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
        if (width > left) {
                return left;
        }
        const uint32_t code = width == 2 ? ((uint32_t)(at[0] & 0x1F) << 6 | (at[1] & 0x3F)) : 0;
        if (code >= 0xC0 && code < 0x180) {
                for (const char *c = latin[code - 0xC0]; *c != '\0'; c++) {
                        out[(*len)++] = (uint8_t)*c;
                }
        } else if (code >= 0x80 && code < 0xC0) {
                *ret_ends = true; /* Latin-1 punctuation and spaces. */
        } else if (width == 3 && at[0] == 0xE2 && at[1] == 0x80) {
                /* General punctuation: typographic apostrophes vanish, dashes and spaces part words. */
                *ret_ends = at[2] != 0x98 && at[2] != 0x99;
        } else if (code < 0x300 || code >= 0x370) { /* Combining marks vanish. */
                memcpy(out + *len, at, width);
                *len += width;
        }
        return width;
}

door_bytes dedup_fold_name(door_bytes name, door_arena *arena)
{
        uint8_t out[DEDUP_NAME_BYTES_MAX + 8];
        size_t len = 0;
        size_t start = 0;

        for (size_t i = 0; i < name.len && len < DEDUP_NAME_BYTES_MAX;) {
                bool ends = false;
                i += fold_character(name.data + i, name.len - i, out, &len, &ends);
                if (ends) {
                        word_end(out, &len, &start);
                }
        }
        word_end(out, &len, &start);
        return door_arena_copy(arena, (door_bytes){ out, len > 0 ? len - 1 : 0 });
}

static door_bytes joined(door_bytes a, door_bytes b, door_arena *arena)
{
        if (a.len == 0 || b.len == 0) {
                return a.len == 0 ? b : a;
        }
        const size_t len = a.len + 1 + b.len;
        uint8_t *out = len > DEDUP_NAME_BYTES_MAX ? NULL : door_arena_take(arena, len);
        if (out == NULL) {
                return a;
        }
        memcpy(out, a.data, a.len);
        out[a.len] = ' ';
        memcpy(out + a.len + 1, b.data, b.len);
        return (door_bytes){ out, len };
}

static size_t comma_after(door_bytes text, size_t from)
{
        const uint8_t *comma = from < text.len ? memchr(text.data + from, ',', text.len - from) : NULL;
        return comma == NULL ? text.len : (size_t)(comma - text.data);
}

/* The first words of an address that hold its number and street: "flat 2 83 regent ln". Street
 * words are shortened, so that "Street" and "St" are one. */
static door_bytes fold_house(door_bytes address, door_arena *arena)
{
        static const struct {
                const char *word;
                const char *brief;
        } words[] = { { "street", "st" },      { "road", "rd" },      { "lane", "ln" },
                      { "avenue", "ave" },     { "close", "cl" },     { "drive", "dr" },
                      { "court", "ct" },       { "gardens", "gdns" }, { "place", "pl" },
                      { "crescent", "cres" },  { "terrace", "ter" },  { "square", "sq" },
                      { "apartment", "flat" }, { "flt", "flat" },     { "cottage", "cott" },
                      { "house", "hse" } };
        /* The first part, and the next one too when the first is only a flat in it. */
        size_t end = comma_after(address, 0);
        if (end < address.len && end < FLAT_BYTES_MAX) {
                end = comma_after(address, end + 1);
        }
        const door_bytes folded = dedup_fold_name((door_bytes){ address.data, end }, arena);
        uint8_t *out = door_arena_take(arena, HOUSE_BYTES_MAX);
        size_t len = 0;
        if (out == NULL) {
                return DOOR_BYTES_EMPTY;
        }
        for (size_t i = 0; i < folded.len;) {
                size_t stop = i;
                while (stop < folded.len && folded.data[stop] != ' ') {
                        stop++;
                }
                door_bytes word = { folded.data + i, stop - i };
                for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
                        if (door_bytes_equal(word, door_bytes_of(words[w].word))) {
                                word = door_bytes_of(words[w].brief);
                        }
                }
                if (len + word.len + 1 > HOUSE_BYTES_MAX) {
                        break;
                }
                if (len > 0) {
                        out[len++] = ' ';
                }
                memcpy(out + len, word.data, word.len);
                len += word.len;
                i = stop + 1;
        }
        return (door_bytes){ out, len };
}

/* ---- REFERRAL_RECEIVED to features ---- */

static dedup_life life_of(Door__V1__Role role)
{
        switch ((int)role) { /* As int: protobuf-c adds a value of its own to every enum. */
        case DOOR__V1__ROLE__ROLE_INDEX_CHILD:
        case DOOR__V1__ROLE__ROLE_SIBLING:
        case DOOR__V1__ROLE__ROLE_OTHER_CHILD:
                return DEDUP_LIFE_CHILD;
        case DOOR__V1__ROLE__ROLE_UNBORN:
                return DEDUP_LIFE_UNBORN;
        case DOOR__V1__ROLE__ROLE_FOSTER_CARER:
                return DEDUP_LIFE_PROFESSIONAL;
        case DOOR__V1__ROLE__ROLE_MOTHER:
        case DOOR__V1__ROLE__ROLE_FATHER:
        case DOOR__V1__ROLE__ROLE_STEP_MOTHER:
        case DOOR__V1__ROLE__ROLE_STEP_FATHER:
        case DOOR__V1__ROLE__ROLE_PARTNER:
        case DOOR__V1__ROLE__ROLE_GRANDPARENT:
        case DOOR__V1__ROLE__ROLE_OTHER_RELATIVE:
        case DOOR__V1__ROLE__ROLE_CARER:
        case DOOR__V1__ROLE__ROLE_LODGER:
        case DOOR__V1__ROLE__ROLE_OTHER_ADULT:
                return DEDUP_LIFE_ADULT;
        case DOOR__V1__ROLE__ROLE_NOT_GIVEN:
        default:
                return DEDUP_LIFE_UNKNOWN;
        }
}

/* A day of the years 1 to 9999: what arithmetic on days is safe for. */
static bool is_day(const Door__V1__Day *day)
{
        return day != NULL && day->has_days && day->days >= -719162 && day->days <= 2932896;
}

static dedup_dob_kind dob_kind_of(const Door__V1__Day *day)
{
        if (!is_day(day) || !day->has_precision) {
                return DEDUP_DOB_NONE;
        }
        const door_date date = door_date_from_days(day->days);
        switch ((int)day->precision) {
        case DOOR__V1__PRECISION__PRECISION_DAY:
                return date.month == 1 && date.day == 1 ? DEDUP_DOB_DEFAULT : DEDUP_DOB_DAY;
        case DOOR__V1__PRECISION__PRECISION_MONTH:
                return DEDUP_DOB_MONTH;
        case DOOR__V1__PRECISION__PRECISION_YEAR:
                return DEDUP_DOB_YEAR;
        case DOOR__V1__PRECISION__PRECISION_NONE:
        default:
                return DEDUP_DOB_NONE;
        }
}

static void names_read(const Door__V1__PersonNamed *person, dedup_features *f, door_arena *arena)
{
        f->given = dedup_fold_name(door_proto_text(person->given_name), arena);
        f->middle = dedup_fold_name(door_proto_text(person->middle_names), arena);
        f->surname = dedup_fold_name(door_proto_text(person->surname), arena);
        for (size_t i = 0; i < person->n_other_name; i++) {
                const Door__V1__OtherName *other = person->other_name[i];
                if (f->known_as.len == 0) {
                        f->known_as = dedup_fold_name(door_proto_text(other->given_name), arena);
                }
                f->former = joined(f->former, dedup_fold_name(door_proto_text(other->surname), arena), arena);
        }
        if (f->surname.len == 0 && f->given.len > 0 && memchr(f->given.data, ' ', f->given.len) != NULL) {
                /* Both names in one field: the last word is the surname. */
                size_t cut = f->given.len;
                while (f->given.data[cut - 1] != ' ') {
                        cut--;
                }
                f->surname = (door_bytes){ f->given.data + cut, f->given.len - cut };
                f->given.len = cut - 1;
        }
}

static void addresses_read(const Door__V1__PersonNamed *person, dedup_features *f, door_arena *arena)
{
        const Door__V1__Address *chosen = NULL;

        for (size_t i = 0; i < person->n_address; i++) {
                const Door__V1__Address *address = person->address[i];
                /* A placement is the carers' address, not the family's: it carries no weight. */
                if (address->kind == DOOR__V1__ADDRESS_KIND__ADDRESS_PLACEMENT) {
                        continue;
                }
                if (chosen == NULL || (chosen->kind != DOOR__V1__ADDRESS_KIND__ADDRESS_HOME &&
                                       address->kind == DOOR__V1__ADDRESS_KIND__ADDRESS_HOME)) {
                        chosen = address;
                }
        }
        if (chosen == NULL) {
                return;
        }
        char postcode[DOOR_POSTCODE_BYTES];
        const door_identifier read = door_postcode_read(door_proto_text(chosen->postcode), postcode);
        if (read == DOOR_IDENTIFIER_GOOD || read == DOOR_IDENTIFIER_PARTIAL) {
                f->postcode = door_arena_copy(arena, door_bytes_of(postcode));
        }
        f->house = fold_house(door_proto_text(chosen->text), arena);
}

static void numbers_read(const Door__V1__PersonNamed *person, dedup_features *f, door_arena *arena)
{
        for (size_t i = 0; i < person->n_identifier; i++) {
                const Door__V1__CheckedIdentifier *number = person->identifier[i];
                char text[DOOR_UPN_BYTES];
                if (number->kind == DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_NHS_NUMBER) {
                        const door_identifier read =
                                door_nhs_number_read(door_proto_text(number->value), text);
                        if (read == DOOR_IDENTIFIER_GOOD || read == DOOR_IDENTIFIER_BAD_CHECK) {
                                f->nhs = door_arena_copy(arena, door_bytes_of(text));
                                f->nhs_doubtful = read == DOOR_IDENTIFIER_BAD_CHECK;
                        }
                } else if (number->kind == DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_UPN) {
                        const door_identifier read = door_upn_read(door_proto_text(number->value), text);
                        if (read == DOOR_IDENTIFIER_GOOD || read == DOOR_IDENTIFIER_BAD_CHECK) {
                                f->upn = door_arena_copy(arena, door_bytes_of(text));
                                f->upn_doubtful = read == DOOR_IDENTIFIER_BAD_CHECK;
                        }
                }
        }
}

static bool mention_read(const Door__V1__PersonNamed *person, uint64_t sent_at_ms, dedup_mention *mention,
                         door_arena *arena)
{
        dedup_features *f = &mention->features;

        memset(mention, 0, sizeof *mention);
        f->role = (uint8_t)person->role;
        f->life = life_of(person->role);
        f->sex = person->sex == DOOR__V1__SEX__SEX_FEMALE ? 1
                 : person->sex == DOOR__V1__SEX__SEX_MALE ? 2
                                                          : 0;
        f->dob_kind = dob_kind_of(person->dob);
        f->dob_days = f->dob_kind == DEDUP_DOB_NONE ? 0 : person->dob->days;
        f->edd_days = is_day(person->edd) ? person->edd->days : DEDUP_NO_DAY;
        f->age_years =
                person->has_age_years && person->age_years < 130 ? (uint16_t)person->age_years : DEDUP_NO_AGE;
        f->said_days = (int32_t)(sent_at_ms / MS_PER_DAY);
        names_read(person, f, arena);
        addresses_read(person, f, arena);
        numbers_read(person, f, arena);
        mention->facts_yes = person->facts_yes;
        mention->facts_cannot_tell = person->facts_cannot_tell;
        mention->alleged = person->alleged_to_have_caused_harm;
        mention->adopted = (person->facts_yes >> FACT_ADOPTED & 1) != 0;

        uint8_t *storage = door_arena_take(arena, DEDUP_FEATURES_BYTES_MAX);
        if (storage == NULL) {
                return false;
        }
        door_writer w = door_writer_on(storage, DEDUP_FEATURES_BYTES_MAX);
        DOOR_REQUIRE(dedup_features_pack(f, &w));
        mention->packed = door_written(&w);
        arena->used -= DEDUP_FEATURES_BYTES_MAX - w.len; /* Give back what was not needed. */
        return !arena->exhausted;
}

/* A referral about what must not come before a second family's eyes: RULES.md section 12. */
static bool is_guarded(const Door__V1__Category *categories, size_t categories_count,
                       const Door__V1__Flag *flags, size_t flags_count)
{
        static const Door__V1__Category guarding[] = {
                DOOR__V1__CATEGORY__CATEGORY_DOMESTIC_ABUSE,
                DOOR__V1__CATEGORY__CATEGORY_EXPLOITATION,
                DOOR__V1__CATEGORY__CATEGORY_FGM,
                DOOR__V1__CATEGORY__CATEGORY_FORCED_MARRIAGE,
                DOOR__V1__CATEGORY__CATEGORY_HONOUR_BASED_ABUSE,
                DOOR__V1__CATEGORY__CATEGORY_TRAFFICKING,
        };
        for (size_t i = 0; i < categories_count; i++) {
                for (size_t k = 0; k < sizeof guarding / sizeof guarding[0]; k++) {
                        if (categories[i] == guarding[k]) {
                                return true;
                        }
                }
        }
        for (size_t i = 0; i < flags_count; i++) {
                if (flags[i] == DOOR__V1__FLAG__FLAG_TRAFFICKING ||
                    flags[i] == DOOR__V1__FLAG__FLAG_HONOUR_BASED ||
                    flags[i] == DOOR__V1__FLAG__FLAG_RELOCATION) {
                        return true;
                }
        }
        return false;
}

static door_status decode_input(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                door_arena *arena, const void **ret_body)
{
        Door__V1__ReferralReceived *in = NULL;
        dedup_received *received = door_arena_take_zeroed(arena, 1, sizeof *received);

        (void)version;
        if (received == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (log != DEDUP_LOG_INTAKE || type != DEDUP_INPUT_REFERRAL_RECEIVED) {
                return DOOR_MALFORMED;
        }
        const door_status status =
                door_proto_read(&door__v1__referral_received__descriptor, payload, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        if (in->facts->n_person > DOOR_PEOPLE_MAX ||
            !door_id_from_bytes(door_proto_bytes(in->referral), &received->referral)) {
                return DOOR_MALFORMED;
        }
        dedup_mention *mentions = door_arena_take(arena, (in->facts->n_person + 1) * sizeof *mentions);
        if (mentions == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->facts->n_person; i++) {
                if (!mention_read(in->facts->person[i], in->facts->sent_at_ms, &mentions[i], arena)) {
                        return DOOR_NO_MEMORY;
                }
        }
        received->sent_at_ms = in->facts->sent_at_ms;
        received->historic = in->historic;
        received->guarded = in->facts->do_not_tell || is_guarded(in->facts->category, in->facts->n_category,
                                                                 in->facts->flags, in->facts->n_flags);
        received->mentions = mentions;
        received->mentions_count = in->facts->n_person;
        received->facts = in;
        *ret_body = received;
        return DOOR_OK;
}

/* ---- matched: encoding ---- */

/* Age in whole years on a day, by the calendar. */
static int32_t years_between(int32_t dob_days, int32_t day)
{
        const door_date born = door_date_from_days(dob_days);
        const door_date now = door_date_from_days(day);
        const bool before = now.month < born.month || (now.month == born.month && now.day < born.day);
        return now.year - born.year - (before ? 1 : 0);
}

static Door__V1__AgeBand age_band_of(const dedup_features *f)
{
        int32_t age = -1;

        if (f->life == DEDUP_LIFE_UNBORN) {
                return DOOR__V1__AGE_BAND__AGE_UNBORN;
        }
        if (f->dob_kind == DEDUP_DOB_DAY || f->dob_kind == DEDUP_DOB_DEFAULT) {
                age = years_between(f->dob_days, f->said_days);
        } else if (f->age_years != DEDUP_NO_AGE) {
                age = f->age_years;
        }
        if (age < 0) {
                return f->life == DEDUP_LIFE_CHILD     ? DOOR__V1__AGE_BAND__AGE_CHILD
                       : f->life == DEDUP_LIFE_UNKNOWN ? DOOR__V1__AGE_BAND__AGE_UNKNOWN
                                                       : DOOR__V1__AGE_BAND__AGE_ADULT;
        }
        return age < 1    ? DOOR__V1__AGE_BAND__AGE_UNDER_1
               : age < 5  ? DOOR__V1__AGE_BAND__AGE_1_TO_4
               : age < 11 ? DOOR__V1__AGE_BAND__AGE_5_TO_10
               : age < 16 ? DOOR__V1__AGE_BAND__AGE_11_TO_15
               : age < 18 ? DOOR__V1__AGE_BAND__AGE_16_TO_17
               : age < 25 ? DOOR__V1__AGE_BAND__AGE_18_TO_24
                          : DOOR__V1__AGE_BAND__AGE_25_AND_OVER;
}

static void facts_fill(const Door__V1__ReferralReceived *in, Door__V1__ReferralMatched *out)
{
        const Door__V1__ReferralFacts *facts = in->facts;

        out->agency = facts->agency;
        out->sent_at_ms = facts->sent_at_ms;
        out->received_at_ms = in->received_at_ms;
        if (facts->incident_at != NULL && facts->incident_at->has_at_ms) {
                out->has_incident_at_ms = 1;
                out->incident_at_ms = facts->incident_at->at_ms;
        }
        out->has_grade = facts->has_grade;
        out->grade = facts->grade;
        out->n_category = facts->n_category;
        out->category = facts->category;
        out->n_flags = facts->n_flags;
        out->flags = facts->flags;
        out->has_level_asked = facts->has_level_asked;
        out->level_asked = facts->level_asked;
        out->has_told_parents = facts->has_told_parents;
        out->told_parents = facts->told_parents;
        out->has_sender_kind = facts->has_sender_kind;
        out->sender_kind = facts->sender_kind;
        out->has_anonymous = facts->has_anonymous;
        out->anonymous = facts->anonymous;
        out->has_do_not_tell = facts->has_do_not_tell;
        out->do_not_tell = facts->do_not_tell;
        out->has_alleged_not_known = facts->has_alleged_not_known;
        out->alleged_not_known = facts->alleged_not_known;
        out->has_screening_score = facts->has_screening_score;
        out->screening_score = facts->screening_score;
        out->has_probable_resend_of = in->has_probable_resend_of;
        out->probable_resend_of = in->probable_resend_of;
        out->has_historic = in->has_historic;
        out->historic = in->historic;
        out->has_confirms = facts->has_confirms;
        out->confirms = facts->confirms;
        out->has_consent = facts->has_consent;
        out->consent = facts->consent;
        if (facts->dash != NULL) {
                out->has_dash_score = facts->dash->has_score;
                out->dash_score = facts->dash->score;
                out->dash_high = facts->dash->professional_judgement_high || facts->dash->visible_high_risk ||
                                 facts->dash->escalation;
                out->has_dash_high = out->dash_high;
        }
}

static bool persons_fill(const dedup_matched *matched, Door__V1__ReferralMatched *out, door_arena *arena)
{
        Door__V1__MatchedPerson *persons =
                door_arena_take(arena, (matched->persons_count + 1) * sizeof *persons);
        Door__V1__MatchedPerson **pointers =
                door_arena_take(arena, (matched->persons_count + 1) * sizeof *pointers);

        if (pointers == NULL) {
                return false;
        }
        for (size_t i = 0; i < matched->persons_count; i++) {
                const dedup_person *from = &matched->persons[i];
                const dedup_mention *mention = &matched->mentions[i];
                Door__V1__MatchedPerson *to = &persons[i];
                door__v1__matched_person__init(to);
                to->person = door_proto_data(door_id_bytes(&from->person));
                to->role = (Door__V1__Role)mention->features.role;
                to->has_age_band = 1;
                to->age_band = age_band_of(&mention->features);
                to->has_new_to_family = from->new_to_family;
                to->new_to_family = from->new_to_family;
                to->has_new_person = from->new_person;
                to->new_person = from->new_person;
                to->has_new_address = from->new_address;
                to->new_address = from->new_address;
                to->has_alleged_to_have_caused_harm = mention->alleged;
                to->alleged_to_have_caused_harm = mention->alleged;
                to->has_facts_yes = mention->facts_yes != 0;
                to->facts_yes = mention->facts_yes;
                to->has_facts_cannot_tell = mention->facts_cannot_tell != 0;
                to->facts_cannot_tell = mention->facts_cannot_tell;
                pointers[i] = to;
        }
        out->n_person = matched->persons_count;
        out->person = pointers;
        return true;
}

/* Everything a ReferralMatched points to besides its persons. */
typedef struct decision_parts {
        Door__V1__Candidate candidates[DEDUP_CANDIDATES_MAX];
        Door__V1__Candidate *candidate_pointers[DEDUP_CANDIDATES_MAX];
        Door__V1__AdultKnownElsewhere elsewhere[DEDUP_ELSEWHERE_MAX];
        Door__V1__AdultKnownElsewhere *elsewhere_pointers[DEDUP_ELSEWHERE_MAX];
        ProtobufCBinaryData unmentioned[DEDUP_UNMENTIONED_MAX];
        Door__V1__AttachDoubt doubts[DEDUP_DOUBTS];
} decision_parts;

static void elsewhere_fill(const dedup_matched *matched, Door__V1__ReferralMatched *out,
                           decision_parts *parts)
{
        for (size_t i = 0; i < matched->elsewhere_count; i++) {
                const dedup_elsewhere *from = &matched->elsewhere[i];
                Door__V1__AdultKnownElsewhere *to = &parts->elsewhere[i];
                door__v1__adult_known_elsewhere__init(to);
                to->person_index = from->person_index;
                to->family = door_proto_data(door_id_bytes(&from->family));
                to->has_dangerous = (from->harm & (DEDUP_HARM_DANGEROUS | DEDUP_HARM_ALLEGED)) != 0;
                to->dangerous = to->has_dangerous;
                to->has_no_contact_condition = (from->harm & DEDUP_HARM_NO_CONTACT) != 0;
                to->no_contact_condition = to->has_no_contact_condition;
                to->has_parent_of_removed_or_protected_child = (from->harm & DEDUP_HARM_REMOVED) != 0;
                to->parent_of_removed_or_protected_child = to->has_parent_of_removed_or_protected_child;
                to->has_lives_with_or_sees_children = from->with_children;
                to->lives_with_or_sees_children = from->with_children;
                parts->elsewhere_pointers[i] = to;
        }
        out->n_adult_known_elsewhere = matched->elsewhere_count;
        out->adult_known_elsewhere = parts->elsewhere_pointers;
}

static void decision_fill(const dedup_matched *matched, Door__V1__ReferralMatched *out, decision_parts *parts)
{
        out->referral = door_proto_data(door_id_bytes(&matched->referral));
        out->family = door_proto_data(door_id_bytes(&matched->family));
        out->decision = (Door__V1__Decision)matched->decision;
        out->has_score = matched->decision == DEDUP_LINK;
        out->score = matched->score;
        out->has_margin = 1;
        out->margin = matched->margin;
        for (size_t i = 0; i < matched->candidates_count; i++) {
                const dedup_candidate *from = &matched->candidates[i];
                Door__V1__Candidate *to = &parts->candidates[i];
                door__v1__candidate__init(to);
                to->family = door_proto_data(door_id_bytes(&from->family));
                to->score = from->score;
                to->has_persons_agreeing = 1;
                to->persons_agreeing = from->persons_agreeing;
                to->has_review = from->has_review;
                to->review = door_proto_data(door_id_bytes(&from->review));
                parts->candidate_pointers[i] = to;
        }
        out->n_candidate = matched->candidates_count;
        out->candidate = parts->candidate_pointers;
        for (uint32_t n = 1; n < DEDUP_DOUBTS; n++) {
                if ((matched->doubts >> n & 1) != 0) {
                        parts->doubts[out->n_doubt++] = (Door__V1__AttachDoubt)n;
                }
        }
        out->doubt = parts->doubts;
        for (size_t i = 0; i < matched->unmentioned_count; i++) {
                parts->unmentioned[i] = door_proto_data(door_id_bytes(&matched->unmentioned[i]));
        }
        out->n_unmentioned_child = matched->unmentioned_count;
        out->unmentioned_child = parts->unmentioned;
        elsewhere_fill(matched, out, parts);
        out->has_candidates_truncated = matched->truncated;
        out->candidates_truncated = matched->truncated;
        out->scoring_version = DEDUP_SCORING_VERSION;
        out->normaliser_version = DEDUP_NORMALISER_VERSION;
}

static bool waterfall_fill(const dedup_waterfall *from, Door__V1__Waterfall *to, door_arena *arena)
{
        Door__V1__WaterfallStep *steps = door_arena_take(arena, (from->steps_count + 1) * sizeof *steps);
        Door__V1__WaterfallStep **pointers =
                door_arena_take(arena, (from->steps_count + 1) * sizeof *pointers);

        if (pointers == NULL) {
                return false;
        }
        door__v1__waterfall__init(to);
        to->family = door_proto_data(door_id_bytes(&from->family));
        to->prior = from->prior;
        to->total = from->total;
        to->threshold = from->threshold;
        for (size_t i = 0; i < from->steps_count; i++) {
                door__v1__waterfall_step__init(&steps[i]);
                steps[i].column = (Door__V1__CompareColumn)from->steps[i].step.column;
                steps[i].level = from->steps[i].step.level;
                steps[i].weight = from->steps[i].step.weight;
                steps[i].has_person_index = from->steps[i].person_index != DEDUP_NO_PERSON;
                steps[i].person_index = from->steps[i].person_index;
                pointers[i] = &steps[i];
        }
        to->n_step = from->steps_count;
        to->step = pointers;
        return true;
}

static door_status private_encode(const dedup_matched *matched, door_arena *arena, door_bytes *ret_bytes)
{
        Door__V1__MatchedPrivate out = DOOR__V1__MATCHED_PRIVATE__INIT;
        const size_t people = matched->persons_count;
        Door__V1__MentionFeatures *mentions = door_arena_take(arena, (people + 1) * sizeof *mentions);
        Door__V1__MentionFeatures **pointers = door_arena_take(arena, (people + 1) * sizeof *pointers);
        Door__V1__Waterfall waterfalls[DEDUP_CANDIDATES_MAX];
        Door__V1__Waterfall *waterfall_pointers[DEDUP_CANDIDATES_MAX];

        if (pointers == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < people; i++) {
                door__v1__mention_features__init(&mentions[i]);
                mentions[i].person = door_proto_data(door_id_bytes(&matched->persons[i].person));
                mentions[i].features = door_proto_data(matched->mentions[i].packed);
                mentions[i].has_household = matched->persons[i].has_household;
                mentions[i].household = door_proto_data(door_id_bytes(&matched->persons[i].household));
                pointers[i] = &mentions[i];
        }
        out.features_version = DEDUP_FEATURES_VERSION;
        out.n_mention = people;
        out.mention = pointers;
        for (size_t i = 0; i < matched->waterfalls_count; i++) {
                if (!waterfall_fill(&matched->waterfalls[i], &waterfalls[i], arena)) {
                        return DOOR_NO_MEMORY;
                }
                waterfall_pointers[i] = &waterfalls[i];
        }
        out.n_waterfall = matched->waterfalls_count;
        out.waterfall = waterfall_pointers;
        return door_proto_pack(&out, arena, ret_bytes);
}

static door_status encode_event(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        const dedup_matched *matched = event->body;
        Door__V1__ReferralMatched out = DOOR__V1__REFERRAL_MATCHED__INIT;
        decision_parts *parts = door_arena_take(arena, sizeof *parts);

        if (event->type != DEDUP_REFERRAL_MATCHED) {
                return dedup_record_encode(event, arena, ret_public, ret_private);
        }
        if (parts == NULL) {
                return DOOR_NO_MEMORY;
        }
        facts_fill(matched->facts, &out);
        decision_fill(matched, &out, parts);
        if (!persons_fill(matched, &out, arena)) {
                return DOOR_NO_MEMORY;
        }
        out.district = door_proto_string(arena, matched->district);
        out.has_out_of_county = matched->out_of_county;
        out.out_of_county = matched->out_of_county;
        const door_status status = door_proto_pack(&out, arena, ret_public);
        return status != DOOR_OK ? status : private_encode(matched, arena, ret_private);
}

/* ---- matched: decoding, for apply ---- */

static door_status persons_decode(const Door__V1__ReferralMatched *in, const Door__V1__MatchedPrivate *hidden,
                                  dedup_matched *matched, door_arena *arena)
{
        const size_t people = in->n_person;
        dedup_person *persons = door_arena_take_zeroed(arena, people + 1, sizeof *persons);
        dedup_mention *mentions = door_arena_take_zeroed(arena, people + 1, sizeof *mentions);

        if (mentions == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (hidden->n_mention != people || hidden->features_version != DEDUP_FEATURES_VERSION) {
                return DOOR_MALFORMED;
        }
        for (size_t i = 0; i < people; i++) {
                const Door__V1__MentionFeatures *mention = hidden->mention[i];
                mentions[i].packed = door_proto_bytes(mention->features);
                mentions[i].facts_yes = in->person[i]->facts_yes;
                mentions[i].alleged = in->person[i]->alleged_to_have_caused_harm;
                mentions[i].adopted = (mentions[i].facts_yes >> FACT_ADOPTED & 1) != 0;
                persons[i].has_household = mention->has_household;
                if (!dedup_features_unpack(mentions[i].packed, &mentions[i].features) ||
                    !door_id_from_bytes(door_proto_bytes(in->person[i]->person), &persons[i].person) ||
                    (mention->has_household &&
                     !door_id_from_bytes(door_proto_bytes(mention->household), &persons[i].household))) {
                        return DOOR_MALFORMED;
                }
        }
        matched->persons_count = people;
        matched->persons = persons;
        matched->mentions = mentions;
        return DOOR_OK;
}

static door_status decode_event(uint32_t type, uint32_t version, door_bytes public_payload,
                                door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        Door__V1__ReferralMatched *in = NULL;
        Door__V1__MatchedPrivate *hidden = NULL;
        dedup_matched *matched = door_arena_take_zeroed(arena, 1, sizeof *matched);

        (void)version;
        if (matched == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (type != DEDUP_REFERRAL_MATCHED) {
                return dedup_record_decode(type, public_payload, private_payload, arena, ret_body);
        }
        door_status status =
                door_proto_unpack(&door__v1__referral_matched__descriptor, public_payload, arena, &in);
        if (status == DOOR_OK) {
                status = door_proto_unpack(&door__v1__matched_private__descriptor, private_payload, arena,
                                           &hidden);
        }
        if (status == DOOR_OK) {
                status = persons_decode(in, hidden, matched, arena);
        }
        if (status != DOOR_OK) {
                return status;
        }
        matched->decision = (dedup_decision)in->decision;
        matched->historic = in->historic;
        matched->guarded = in->family_restricted || in->do_not_tell ||
                           is_guarded(in->category, in->n_category, in->flags, in->n_flags);
        if (!door_id_from_bytes(door_proto_bytes(in->referral), &matched->referral) ||
            !door_id_from_bytes(door_proto_bytes(in->family), &matched->family) ||
            in->n_candidate > DEDUP_CANDIDATES_MAX) {
                return DOOR_MALFORMED;
        }
        matched->candidates_count = in->n_candidate;
        for (size_t i = 0; i < in->n_candidate; i++) {
                dedup_candidate *candidate = &matched->candidates[i];
                candidate->has_review = in->candidate[i]->has_review;
                if (!door_id_from_bytes(door_proto_bytes(in->candidate[i]->family), &candidate->family) ||
                    (candidate->has_review &&
                     !door_id_from_bytes(door_proto_bytes(in->candidate[i]->review), &candidate->review))) {
                        return DOOR_MALFORMED;
                }
        }
        *ret_body = matched;
        return DOOR_OK;
}

static door_status postcodes_decode(const Door__V1__PostcodeTable *in, door_arena *arena,
                                    dedup_postcodes *table)
{
        door_bytes *districts = door_arena_take(arena, (in->n_district + 1) * sizeof *districts);

        if (districts == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->n_district; i++) {
                districts[i] = door_proto_text(in->district[i]);
                if (districts[i].len != DISTRICT_BYTES) {
                        return DOOR_MALFORMED;
                }
        }
        table->districts = districts;
        table->districts_count = in->n_district;
        table->rows = door_proto_bytes(in->rows);
        return dedup_postcodes_are_sound(table) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status decode_policy(door_bytes content, door_arena *arena, const void **ret_policy)
{
        Door__V1__DedupPolicy *in = NULL;
        dedup_policy *policy = door_arena_take(arena, sizeof *policy);

        if (policy == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_read(&door__v1__dedup_policy__descriptor, content, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        *policy = dedup_policy_default;
        policy->link_threshold = in->has_link_threshold ? in->link_threshold : policy->link_threshold;
        policy->review_threshold = in->has_review_threshold ? in->review_threshold : policy->review_threshold;
        policy->margin = in->has_margin ? in->margin : policy->margin;
        policy->attach_threshold = in->has_attach_threshold ? in->attach_threshold : policy->attach_threshold;
        policy->attach_margin = in->has_attach_margin ? in->attach_margin : policy->attach_margin;
        policy->person_threshold = in->has_person_threshold ? in->person_threshold : policy->person_threshold;
        policy->training = in->training;
        *ret_policy = policy;
        return in->postcodes == NULL ? DOOR_OK : postcodes_decode(in->postcodes, arena, &policy->postcodes);
}

static const door_consumed consumes[] = { { DEDUP_LOG_INTAKE, DEDUP_INPUT_REFERRAL_RECEIVED } };

static const door_known knows[] = {
        { DEDUP_LOG_INTAKE, DOOR__V1__INTAKE_EVENT__INTAKE_REFERRAL_REPEATED },
        { DEDUP_LOG_INTAKE, DOOR__V1__INTAKE_EVENT__INTAKE_ATTEMPT_REFUSED },
        { DEDUP_LOG_INTAKE, DOOR__V1__INTAKE_EVENT__INTAKE_WITHDRAW_ASKED },
        { DEDUP_LOG_INTAKE, DOOR__V1__INTAKE_EVENT__INTAKE_AMEND_ASKED },
        { DEDUP_LOG_INTAKE, DOOR__V1__INTAKE_EVENT__INTAKE_DISCLOSED },
};

const door_core_ops dedup_ops = {
        .name = "deduplication",
        .log = DOOR__V1__LOG__DEDUPLICATION,
        .consumes = consumes,
        .consumes_count = sizeof consumes / sizeof consumes[0],
        .knows = knows,
        .knows_count = sizeof knows / sizeof knows[0],
        .decode_input = decode_input,
        .decode_command = dedup_command_decode,
        .encode_event = encode_event,
        .decode_event = decode_event,
        .decode_policy = decode_policy,
        .encode_answer = dedup_answer_encode,
        .decide = dedup_decide,
        .apply = dedup_apply,
        .next_deadline = dedup_next_deadline,
};
