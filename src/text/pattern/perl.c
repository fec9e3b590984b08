/* The oracle compiles with Oniguruma's own syntax; what PCRE2 means by the same text is not always the same:
 *
 *     $ ^         line anchors                             PCRE2_MULTILINE
 *     (?m:)       the dot matches line ends                (?s:)
 *     \s          U+180E is no space                       spelled out
 *     \w          marks too, more outside of brackets      spelled out
 *     \b          by that \w                               spelled out
 *     \h          a hexadecimal digit                      [0-9A-Fa-f]
 *     \v          one character                            \x0B
 *     \uHHHH      a character                              \x{HHHH}
 *     \p{Han}     the script, without extensions           \p{sc:Han}
 *
 * Refused by name: what has another meaning and no short translation (brackets in brackets, &&, {n}+, (?i) in the
 * middle, ...). Known to differ: PCRE2's Unicode version is its own, and ignoring case it does not take one character
 * for two (Oniguruma's (?i:ss) matches U+00DF). */
#ifdef WL_HAVE_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

#include <string.h>

#include "text/pattern/perl.h"

#ifdef WL_HAVE_PCRE2

#define SPACE     "\\t-\\r\\x20\\x85\\p{Z}"
#define WORD_IN   "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
#define WORD      WORD_IN "\\xB2\\xB3\\xB9\\xBC-\\xBE"
#define BEHIND    "(?<=[" WORD "])"
#define NO_BEHIND "(?<![" WORD "])"
#define AHEAD     "(?=[" WORD "])"
#define NO_AHEAD  "(?![" WORD "])"

/* Escapes: by their letter, outside and inside of brackets; NULL: refused. What is not here stands for itself when it
 * is no letter or digit. */
static const struct escape {
    char letter;
    const char *outside, *inside;
} escapes[] = {
    {'n', "\\n", "\\n"},
    {'r', "\\r", "\\r"},
    {'t', "\\t", "\\t"},
    {'f', "\\f", "\\f"},
    {'a', "\\a", "\\a"},
    {'e', "\\e", "\\e"},
    {'v', "\\x0B", "\\x0B"},
    {'d', "\\p{Nd}", "\\p{Nd}"},
    {'D', "\\P{Nd}", "\\P{Nd}"},
    {'s', "[" SPACE "]", SPACE},
    {'S', "[^" SPACE "]", "\\S\\x{180E}"},
    {'w', "[" WORD "]", WORD_IN},
    {'W', "[^" WORD "]", NULL},
    {'h', "[0-9A-Fa-f]", "0-9A-Fa-f"},
    {'H', "[^0-9A-Fa-f]", NULL},
    {'b', "(?:" BEHIND NO_AHEAD "|" NO_BEHIND AHEAD ")", "\\x08"},
    {'B', "(?:" BEHIND AHEAD "|" NO_BEHIND NO_AHEAD ")", NULL},
    {'A', "\\A", NULL},
    {'z', "\\z", NULL},
    {'Z', "\\Z", NULL},
};

typedef struct wl_translation {
    const char *text;
    size_t size, at;
    wl_buffer out;
    wl_error *error;
} wl_translation;

static wl_status refuse(wl_translation *translation, const char *what)
{
    return wl_fail(translation->error, WL_ERROR_UNSUPPORTED,
                   "the regular expression %.*s has %s, which is not supported", (int)translation->size,
                   translation->text, what);
}

static wl_status put(wl_translation *translation, const char *text, size_t size)
{
    return wl_buffer_append(&translation->out, text, size, translation->error);
}

static bool next_is(const wl_translation *translation, const char *text)
{
    size_t size = strlen(text);
    return translation->size - translation->at >= size && !memcmp(translation->text + translation->at, text, size);
}

/* Copies up to and with the byte `last`. */
static wl_status copy_through(wl_translation *translation, char last)
{
    const char *from = translation->text + translation->at;
    const char *end = memchr(from, last, translation->size - translation->at);
    if (!end) return refuse(translation, "an unfinished escape");
    size_t size = (size_t)(end - from) + 1;
    translation->at += size;
    return put(translation, from, size);
}

/* Behind \p or \P. */
static wl_status translate_property(wl_translation *translation, char letter)
{
    char head[3] = {'\\', letter, '{'};
    if (!next_is(translation, "{")) return refuse(translation, "\\p without braces");
    translation->at++;
    if (put(translation, head, 3)) return translation->error->code;
    if (next_is(translation, "^")) {
        translation->at++;
        if (put(translation, "^", 1)) return translation->error->code;
    }
    const char *name = translation->text + translation->at;
    const char *end = memchr(name, '}', translation->size - translation->at);
    if (!end || end == name) return refuse(translation, "an unfinished \\p");
    /* General categories have one or two letters. */
    if (end - name > 2 && put(translation, "sc:", 3)) return translation->error->code;
    return copy_through(translation, '}');
}

static wl_status translate_escape(wl_translation *translation, bool inside)
{
    if (++translation->at == translation->size) return refuse(translation, "a backslash at its end");
    char letter = translation->text[translation->at++];
    if (letter == 'p' || letter == 'P') return translate_property(translation, letter);
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        if (escapes[i].letter != letter) continue;
        const char *text = inside ? escapes[i].inside : escapes[i].outside;
        return text ? put(translation, text, strlen(text)) : refuse(translation, "a class negated within brackets");
    }
    if (letter == 'x' && next_is(translation, "{")) {
        if (put(translation, "\\x", 2)) return translation->error->code;
        return copy_through(translation, '}');
    }
    if (letter == 'u' && translation->size - translation->at >= 4) {
        if (put(translation, "\\x{", 3) || put(translation, translation->text + translation->at, 4) ||
            put(translation, "}", 1))
            return translation->error->code;
        translation->at += 4;
        return WL_OK;
    }
    bool named = (letter >= '0' && letter <= '9') || ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z');
    if (named) return refuse(translation, "an escape of a kind");
    if ((unsigned char)letter >= 0x80) return put(translation, &letter, 1);
    return put(translation, (char[]){'\\', letter}, 2);
}

static wl_status translate_brackets(wl_translation *translation)
{
    size_t size = next_is(translation, "[^") ? 2 : 1;
    if (put(translation, translation->text + translation->at, size)) return translation->error->code;
    translation->at += size;
    if (next_is(translation, "]")) return refuse(translation, "an empty bracket");
    while (translation->at < translation->size) {
        char c = translation->text[translation->at];
        if (c == '[') return refuse(translation, "brackets within brackets");
        if (next_is(translation, "&&")) return refuse(translation, "&& within brackets");
        if (c == '\\') {
            if (translate_escape(translation, true)) return translation->error->code;
            continue;
        }
        translation->at++;
        if (put(translation, &c, 1)) return translation->error->code;
        if (c == ']') return WL_OK;
    }
    return refuse(translation, "a bracket without end");
}

/* Behind (?. */
static wl_status translate_group(wl_translation *translation)
{
    static const char *const same[] = {":", "=", "!", "<=", "<!", ">"};
    size_t begin = translation->at;
    translation->at += 2;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (next_is(translation, same[i])) {
            translation->at += strlen(same[i]);
            return put(translation, translation->text + begin, translation->at - begin);
        }
    if (put(translation, "(?", 2)) return translation->error->code;
    while (translation->at < translation->size) {
        char c = translation->text[translation->at++];
        if (c == 'm')
            c = 's';
        else if (!strchr("ix-:)", c) || (c == ')' && begin))
            break;
        if (c == 'x') break;
        if (put(translation, &c, 1)) return translation->error->code;
        if (c == ':' || c == ')') return WL_OK;
    }
    return refuse(translation, "a group of a kind");
}

static wl_status translate(wl_translation *translation)
{
    while (translation->at < translation->size) {
        char c = translation->text[translation->at];
        wl_status status;
        if (c == '\\')
            status = translate_escape(translation, false);
        else if (c == '[')
            status = translate_brackets(translation);
        else if (next_is(translation, "(?"))
            status = translate_group(translation);
        else if (next_is(translation, "(*") || next_is(translation, "{,"))
            status = refuse(translation, next_is(translation, "{,") ? "{,n}" : "a callout");
        else if (next_is(translation, "}+") || next_is(translation, "}?"))
            status = refuse(translation, "a repeated repetition");
        else {
            status = put(translation, &c, 1);
            translation->at++;
        }
        if (status) return status;
    }
    return WL_OK;
}

wl_status wl_perl_open(void **perl, const char *expression, size_t size, wl_error *error)
{
    wl_translation translation = {expression, size, 0, {0}, error};
    wl_status status = translate(&translation);
    pcre2_compile_context *context = status ? NULL : pcre2_compile_context_create(NULL);
    *perl = NULL;
    if (!status && !context) status = wl_fail_memory(error, size);
    if (!status) {
        int code;
        PCRE2_SIZE place;
        pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        *perl =
            pcre2_compile((PCRE2_SPTR)(translation.out.data ? translation.out.data : ""), translation.out.size,
                          PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &code, &place, context);
        PCRE2_UCHAR reason[128] = "";
        if (!*perl) {
            pcre2_get_error_message(code, reason, sizeof reason);
            status = wl_fail(error, WL_ERROR_UNSUPPORTED, "the regular expression %s: %s", expression, (char *)reason);
        }
    }
    pcre2_compile_context_free(context);
    wl_buffer_free(&translation.out);
    return status;
}

void wl_perl_free(void *perl)
{
    pcre2_code_free(perl);
}

wl_status wl_perl_find(void *perl, const char *expression, const char *text, size_t size, size_t at, bool *found,
                       size_t *begin, size_t *end, wl_error *error)
{
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    *found = false;
    if (!match) return wl_fail_memory(error, sizeof(size_t));
    int count = pcre2_match(perl, (PCRE2_SPTR)(text ? text : ""), size, at, PCRE2_NO_UTF_CHECK, match, NULL);
    if (count >= 0) {
        const PCRE2_SIZE *place = pcre2_get_ovector_pointer(match);
        *found = true;
        *begin = place[0];
        *end = place[1];
    }
    pcre2_match_data_free(match);
    if (count >= 0 || count == PCRE2_ERROR_NOMATCH) return WL_OK;
    if (count == PCRE2_ERROR_NOMEMORY) return wl_fail_memory(error, size);
    return wl_fail(error, WL_ERROR_LIMIT, "the regular expression %s takes too long on this text", expression);
}

#else

wl_status wl_perl_open(void **perl, const char *expression, size_t size, wl_error *error)
{
    *perl = NULL;
    return wl_fail(error, WL_ERROR_UNSUPPORTED,
                   "a regular expression needs PCRE2, build with -DWORDLLAMA_PCRE2=ON: %.*s", (int)size, expression);
}

void wl_perl_free(void *perl)
{
    (void)perl;
}

wl_status wl_perl_find(void *perl, const char *expression, const char *text, size_t size, size_t at, bool *found,
                       size_t *begin, size_t *end, wl_error *error)
{
    (void)perl, (void)text, (void)size, (void)at, (void)begin, (void)end;
    *found = false;
    return wl_fail(error, WL_ERROR_UNSUPPORTED, "the regular expression %s needs PCRE2", expression);
}

#endif
