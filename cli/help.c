/* Help and manual pages, made from the tables. Failures are kept in *error, so that only the end is checked. */
#include "io.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, COLUMN = 24 };

typedef struct cli_page {
    wl_buffer *out;
    wl_error *error;
    bool failed;
} cli_page;

static void put(cli_page *page, const char *format, ...) WL_PRINTF(2, 3);

static void put(cli_page *page, const char *format, ...)
{
    if (page->failed) return;
    va_list arguments;
    va_start(arguments, format);
    page->failed = append_format_list(page->out, page->error, format, arguments) != WL_OK;
    va_end(arguments);
}

/* Breaks text at its spaces into lines that start at column indent; the first one starts at column at. */
static void put_wrapped(cli_page *page, const char *text, int indent, int at)
{
    bool first = true;
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (!first && at + 1 + length > WIDTH) {
            put(page, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            put(page, " ");
            at++;
        }
        put(page, "%.*s", length, text);
        at += length;
        text += length + (text[length] == ' ');
        first = false;
    }
    put(page, "\n");
}

/* "  name   text": text at COLUMN, on a line of its own where the name is long. */
static void put_entry(cli_page *page, const char *name, const char *text)
{
    put(page, "  %s", name);
    int at = 2 + (int)strlen(name);
    if (at + 2 > COLUMN) put(page, "\n"), at = 0;
    put(page, "%*s", COLUMN - at, "");
    put_wrapped(page, text, COLUMN, COLUMN);
}

static void flag_title(const cli_flag *row, char *title, size_t size)
{
    char letter[] = {'-', row->letter, ',', ' ', 0};
    snprintf(title, size, "%s--%s%s%s", row->letter ? letter : "", row->name, row->value ? " " : "",
             row->value ? row->value : "");
}

/* A variable of rows for different verbs is told once. */
static bool seen_before(const cli_flag *row)
{
    for (const cli_flag *other = flag_table; other < row; other++)
        if (other->variable && strcmp(other->variable, row->variable) == 0) return true;
    return false;
}

static void put_environment(cli_page *page, const cli_verb *verb, void (*entry)(cli_page *, const char *, const char *))
{
    for (const cli_flag *row = flag_table; row->name; row++) {
        if (!row->variable || (verb && !flag_belongs(row, verb)) || seen_before(row)) continue;
        char text[64];
        snprintf(text, sizeof text, "default of --%s", row->name);
        entry(page, row->variable, text);
    }
    uint32_t bit = verb ? UINT32_C(1) << (verb - verb_table) : NO_VERB;
    for (const cli_variable *row = variable_table; row->name; row++)
        if (row->verbs & bit) entry(page, row->name, row->help);
}

static const char about[] = "WordLlama turns texts into vectors, compares texts and splits them into tokens. A model "
                            "is a table of token vectors; the vector of a text is the mean of the rows of its tokens.";

static const char search_status[] =
    "0 where something was printed, 1 where nothing was found, 2 for a failure or a wrong command line.";

static const char overview_example[] = "wordllama similarity \"I went to the car\" \"I went to the park\"";

wl_status write_help(const cli_verb *verb, wl_buffer *out, wl_error *error)
{
    cli_page page = {.out = out, .error = error};
    if (verb) {
        put(&page, "usage: wordllama %s [FLAG...] %s\n\n", verb->name, verb->operands);
        put_wrapped(&page, verb->description, 0, 0);
    } else {
        put(&page, "usage: wordllama VERB [FLAG...] [ARGUMENT...]\n\n");
        put_wrapped(&page, about, 0, 0);
        put(&page, "\nverbs:\n");
        for (const cli_verb *row = verb_table; row->name; row++) put_entry(&page, row->name, row->summary);
        put_entry(&page, "help [VERB]", "explain a verb and its flags");
    }
    put(&page, "\nflags:\n");
    for (const cli_flag *row = flag_table; row->name; row++) {
        if (!row->help || !flag_belongs(row, verb)) continue;
        char title[128];
        flag_title(row, title, sizeof title);
        put_entry(&page, title, row->help);
    }
    put(&page, "\nenvironment:\n");
    put_environment(&page, verb, put_entry);
    if (verb && verb->searches) {
        put(&page, "\nexit status:\n  ");
        put_wrapped(&page, search_status, 2, 2);
    }
    put(&page, "\nexample:\n  %s\n", verb ? verb->example : overview_example);
    return page.failed ? error->code : WL_OK;
}

/* ---- roff -------------------------------------------------------------------------------------------------------- */

/* Text in a manual page: a backslash, a dash that is not a hyphen, and a dot or quote that starts a line are escaped.
 */
static void put_roff(cli_page *page, const char *text)
{
    if (*text == '.' || *text == '\'') put(page, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            put(page, "\\e");
        else if (*text == '-')
            put(page, "\\-");
        else
            put(page, "%c", *text);
    }
}

static void put_man_entry(cli_page *page, const char *name, const char *text)
{
    put(page, ".TP\n.B ");
    put_roff(page, name);
    put(page, "\n");
    put_roff(page, text);
    put(page, "\n");
}

static void put_section(cli_page *page, const char *title, const char *text)
{
    put(page, ".SH %s\n", title);
    if (!text) return;
    put_roff(page, text);
    put(page, "\n");
}

static void put_man_name(cli_page *page, const cli_verb *verb)
{
    char upper[32] = "";
    for (size_t i = 0; verb && verb->name[i] && i + 1 < sizeof upper; i++) upper[i] = (char)(verb->name[i] - 'a' + 'A');
    put(page, ".TH WORDLLAMA%s%s 1 \"\" \"wordllama %s\" \"User Commands\"\n", verb ? "\\-" : "", upper, wl_version());
    put(page, ".SH NAME\nwordllama%s%s \\- %s\n", verb ? "\\-" : "", verb ? verb->name : "",
        verb ? verb->summary : "texts to vectors");
    put(page, ".SH SYNOPSIS\n.B wordllama %s\n[FLAG...] ", verb ? verb->name : "VERB");
    put_roff(page, verb ? verb->operands : "[ARGUMENT...]");
    put(page, "\n");
}

wl_status write_man(const cli_verb *verb, wl_buffer *out, wl_error *error)
{
    cli_page page = {.out = out, .error = error};
    put_man_name(&page, verb);
    put_section(&page, "DESCRIPTION", verb ? verb->description : about);
    if (!verb) {
        put_section(&page, "VERBS", NULL);
        for (const cli_verb *row = verb_table; row->name; row++) put_man_entry(&page, row->name, row->summary);
    }
    put_section(&page, "OPTIONS", NULL);
    for (const cli_flag *row = flag_table; row->name; row++) {
        if (!row->help || !flag_belongs(row, verb)) continue;
        char title[128];
        flag_title(row, title, sizeof title);
        put_man_entry(&page, title, row->help);
    }
    put_section(&page, "ENVIRONMENT", NULL);
    put_environment(&page, verb, put_man_entry);
    put_section(
        &page, "EXIT STATUS",
        verb && verb->searches
            ? "0 where something was printed, 1 where nothing was found, 2 for a failure or a wrong command line."
            : "0 for success, 1 for failure, 2 for a wrong command line.");
    put(&page, ".SH EXAMPLE\n.nf\n");
    put_roff(&page, verb ? verb->example : overview_example);
    put(&page, "\n.fi\n.SH SEE ALSO\n");
    if (verb) put(&page, ".BR wordllama (1),\n");
    bool first = true;
    for (const cli_verb *row = verb_table; row->name; row++) {
        if (row == verb) continue;
        put(&page, "%s.BR wordllama\\-%s (1)", first ? "" : ",\n", row->name);
        first = false;
    }
    put(&page, "\n");
    return page.failed ? error->code : WL_OK;
}
