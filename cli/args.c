/* Parsing: the verb is the first word that is neither a flag nor a flag's value; the rest stands anywhere. */
#include "args.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1];
}

bool flag_belongs(const cli_flag *row, const cli_verb *verb)
{
    uint32_t bit = verb ? UINT32_C(1) << (verb - verb_table) : NO_VERB;
    return row->verbs & bit;
}

const cli_verb *find_verb(const char *name)
{
    for (const cli_verb *row = verb_table; row->name; row++)
        if (strcmp(row->name, name) == 0) return row;
    return NULL;
}

/* The row of a word like "--dim" or "--dim=64" among the flags of a verb, or with any_verb among all. */
static const cli_flag *find_flag(const char *word, const cli_verb *verb, bool any_verb)
{
    if (strcmp(word, "-h") == 0) word = "--help";
    bool letter = word[0] == '-' && word[1] && word[1] != '-' && !word[2];
    for (const cli_flag *row = flag_table; letter && row->name; row++)
        if ((any_verb || flag_belongs(row, verb)) && row->letter == word[1]) return row;
    if (word[0] != '-' || word[1] != '-') return NULL;
    size_t length = strcspn(word + 2, "=");
    for (const cli_flag *row = flag_table; row->name; row++)
        if ((any_verb || flag_belongs(row, verb)) && strlen(row->name) == length &&
            memcmp(row->name, word + 2, length) == 0)
            return row;
    return NULL;
}

/* ---- what was probably meant ------------------------------------------------------------------------------------- */

wl_status fail_unknown_verb(const char *name, wl_error *error)
{
    const cli_verb *nearest = NULL;
    size_t best = SIZE_MAX;
    for (const cli_verb *row = verb_table; row->name; row++)
        if (wl_is_nearer(name, strlen(name), row->name, &best)) nearest = row;
    if (nearest)
        return wl_fail(error, WL_ERROR_ARGUMENT, "unknown verb '%s' (did you mean '%s'?)", name, nearest->name);
    return wl_fail(error, WL_ERROR_ARGUMENT, "unknown verb '%s' (see 'wordllama --help')", name);
}

static wl_status fail_unknown_flag(const char *word, const cli_verb *verb, wl_error *error)
{
    const cli_flag *nearest = NULL;
    size_t best = SIZE_MAX;
    const char *name = word + strspn(word, "-");
    int length = (int)strcspn(name, "=");
    for (const cli_flag *row = flag_table; row->name; row++)
        if (row->help && flag_belongs(row, verb) && wl_is_nearer(name, (size_t)length, row->name, &best)) nearest = row;
    int shown = (int)(name - word) + length;
    const char *of = verb ? " for '" : "", *verb_name = verb ? verb->name : "", *end = verb ? "'" : "";
    if (nearest)
        return wl_fail(error, WL_ERROR_ARGUMENT, "unknown flag '%.*s'%s%s%s (did you mean '--%s'?)", shown, word, of,
                       verb_name, end, nearest->name);
    if (verb && verb->takes_files && length == 5 && memcmp(name, "input", 5) == 0)
        return wl_fail(error, WL_ERROR_ARGUMENT, "unknown flag '%.*s'%s%s%s (files are arguments: 'wordllama %s FILE')",
                       shown, word, of, verb_name, end, verb_name);
    return wl_fail(error, WL_ERROR_ARGUMENT,
                   "unknown flag '%.*s'%s%s%s (see 'wordllama %s%s--help'; a text that starts with - goes behind --)",
                   shown, word, of, verb_name, end, verb_name, verb ? " " : "");
}

wl_status find_nothing(wl_error *error)
{
    *error = (wl_error){.code = WL_ERROR_NOT_FOUND, .byte = WL_NO_POSITION};
    return error->code;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* from: what the messages call the source of the value, "flag '--dim'" or "variable WORDLLAMA_DIM". */
static wl_status read_count(const cli_flag *row, const char *value, const char *from, uint32_t *out, wl_error *error)
{
    uint64_t number = 0;
    size_t digits = strspn(value, "0123456789");
    bool fits = digits > 0 && !value[digits];
    for (size_t i = 0; fits && i < digits; i++) {
        number = number * 10 + (uint64_t)(value[i] - '0');
        fits = number <= row->most;
    }
    if (!fits || number < row->number)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%s is '%s', expected a whole number from %u to %u", from, value,
                       (unsigned)row->number, (unsigned)row->most);
    *out = (uint32_t)number;
    return WL_OK;
}

/* Length of a number at the start of text, as "-1", ".5" or "2.5e-3"; 0 for anything else. */
static size_t decimal_length(const char *text)
{
    static const char digits[] = "0123456789";
    size_t at = text[0] == '-' || text[0] == '+', whole = strspn(text + at, digits), fraction = 0;
    at += whole;
    if (text[at] == '.') at += 1 + (fraction = strspn(text + at + 1, digits));
    if (!whole && !fraction) return 0;
    if (text[at] != 'e' && text[at] != 'E') return at;
    size_t sign = text[at + 1] == '-' || text[at + 1] == '+', exponent = strspn(text + at + 1 + sign, digits);
    return exponent ? at + 1 + sign + exponent : 0;
}

static wl_status read_real(const cli_flag *row, const char *value, const char *from, double *out, wl_error *error)
{
    /* The program never sets a locale, so strtod knows the dot alone; what else it would take is not let through. */
    size_t length = decimal_length(value);
    double number = length && !value[length] ? strtod(value, NULL) : NAN;
    if (number >= row->low && number <= row->high) return *out = number, WL_OK;
    if (row->high > 1e300)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%s is '%s', expected a number from %g", from, value, row->low);
    return wl_fail(error, WL_ERROR_ARGUMENT, "%s is '%s', expected a number from %g to %g", from, value, row->low,
                   row->high);
}

static wl_status read_choice(const cli_flag *row, const char *value, const char *from, uint32_t *out, wl_error *error)
{
    size_t length = strlen(value);
    uint32_t index = 0;
    for (const char *word = row->value;; index++) {
        size_t size = strcspn(word, "|");
        if (size == length && memcmp(word, value, size) == 0) return *out = index, WL_OK;
        if (!word[size]) break;
        word += size + 1;
    }
    return wl_fail(error, WL_ERROR_ARGUMENT, "%s is '%s', expected %s", from, value, row->value);
}

static wl_status fail_empty(const cli_flag *row, const char *from, wl_error *error)
{
    return wl_fail(error, WL_ERROR_ARGUMENT, "%s is empty, expected %s", from, row->value);
}

static wl_status store(cli_settings *settings, const cli_flag *row, const char *value, const char *from,
                       wl_error *error)
{
    void *member = (char *)settings + row->offset;
    cli_list *list = member; /* where it is one */
    if (row->kind != FLAG_SWITCH && !value)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%s needs a value (%s)", from, row->value);
    switch (row->kind) {
    case FLAG_SWITCH:
        *(uint32_t *)member = row->number;
        break;
    case FLAG_TEXT:
        if (!*value && strcmp(row->value, "FILE") == 0) return fail_empty(row, from, error);
        *(const char **)member = value;
        break;
    case FLAG_COUNT:
        return read_count(row, value, from, member, error);
    case FLAG_REAL:
        return read_real(row, value, from, member, error);
    case FLAG_CHOICE:
        return read_choice(row, value, from, member, error);
    case FLAG_LIST:
        if (!*value) return fail_empty(row, from, error);
        list->names[list->count++] = value;
        break;
    case FLAG_FIELD:
        list->names[list->count++] = value;
        break;
    }
    return WL_OK;
}

/* Variables first, so that flags overwrite them. An empty one counts as not set. */
static wl_status read_environment(cli_settings *settings, const cli_verb *verb, wl_error *error)
{
    for (const cli_flag *row = flag_table; row->name; row++) {
        const char *value = row->variable && flag_belongs(row, verb) ? getenv(row->variable) : NULL;
        if (!value || !*value) continue;
        char from[64] = "variable ";
        strncat(from, row->variable, sizeof from - 16);
        if (store(settings, row, value, from, error)) return error->code;
    }
    return WL_OK;
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

/* The place of the verb in argv, or argc. A flag in front of it may belong to any verb; what it is called tells whether
 * the next word is its value. */
static int verb_place(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!is_flag(argv[i])) return i;
        if (strcmp(argv[i], "--") == 0) return i + 1 < argc ? i + 1 : argc;
        const cli_flag *row = find_flag(argv[i], NULL, true);
        if (row && row->value && !strchr(argv[i], '=')) i++;
    }
    return argc;
}

static wl_status parse_flag(cli_settings *settings, const cli_verb *verb, int argc, char **argv, int *at,
                            wl_error *error)
{
    const char *word = argv[*at], *equals = strchr(word, '=');
    const cli_flag *row = find_flag(word, verb, false);
    if (!row) return fail_unknown_flag(word, verb, error);
    if (!row->value && equals) return wl_fail(error, WL_ERROR_ARGUMENT, "flag '--%s' takes no value", row->name);
    const char *value = equals ? equals + 1 : NULL;
    if (row->value && !equals && *at + 1 < argc) value = argv[++*at];
    char from[64] = "flag '--";
    strncat(strncat(from, row->name, sizeof from - 16), "'", 2);
    return store(settings, row, value, from, error);
}

static wl_status check_operands(const cli_settings *settings, const cli_verb *verb, wl_error *error)
{
    if (settings->help || settings->man) return WL_OK;
    if (settings->operand_count < verb->least || settings->operand_count > verb->most)
        return wl_fail(error, WL_ERROR_ARGUMENT, "'%s' takes %s, but %zu %s given (see 'wordllama %s --help')",
                       verb->name, verb->operands, settings->operand_count,
                       settings->operand_count == 1 ? "argument was" : "arguments were", verb->name);
    return WL_OK;
}

wl_status parse_arguments(int argc, char **argv, cli_settings *settings, const cli_verb **chosen, wl_error *error)
{
    *settings = (cli_settings){.arguments = argv,
                               .threshold = NAN,
                               .tolerance = NAN,
                               .sif = NAN,
                               .near = NAN,
                               .strength = NAN,
                               .whitening = NAN};
    *chosen = NULL;
    settings->operands = wl_allocate((size_t)argc + 1, sizeof *settings->operands, error);
    if (!settings->operands) return error->code;
    for (const cli_flag *row = flag_table; row->name; row++) {
        bool is_list = row->kind == FLAG_LIST || row->kind == FLAG_FIELD;
        cli_list *list = is_list ? (cli_list *)(void *)((char *)settings + row->offset) : NULL;
        if (!list || list->names) continue;
        list->names = wl_allocate((size_t)argc + 1, sizeof *list->names, error);
        if (!list->names) return error->code;
    }

    int place = verb_place(argc, argv);
    const cli_verb *verb = place < argc ? find_verb(argv[place]) : NULL;
    bool help = place < argc && strcmp(argv[place], "help") == 0;
    if (place < argc && !verb && !help) return fail_unknown_verb(argv[place], error);
    if (read_environment(settings, verb, error)) return error->code;
    bool flags_ended = false;
    for (int i = 1; i < argc; i++) {
        if (i == place) continue;
        if (flags_ended || !is_flag(argv[i]))
            settings->operands[settings->operand_count++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            flags_ended = true;
        else if (parse_flag(settings, verb, argc, argv, &i, error))
            return error->code;
    }
    *chosen = verb;
    if (help) settings->help = 1;
    return verb ? check_operands(settings, verb, error) : WL_OK;
}

void settings_free(cli_settings *settings)
{
    free(settings->operands);
    free(settings->inputs.names);
    free(settings->against.names);
    free(settings->chosen_tokens.names);
    free(settings->only.names);
    free(settings->evaluation.names);
    free(settings->labels.names);
    for (size_t i = 0; i < WL_TRAIN_FIELDS; i++) free(settings->fields[i].names);
    *settings = (cli_settings){0};
}
