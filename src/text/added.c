#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

wl_status wl_added_add(wl_added_tokens *added, wl_added_token token, wl_error *error)
{
    for (size_t i = 0; i < added->count; i++) {
        if (added->tokens[i].id != token.id) continue;
        free(added->tokens[i].content);
        added->tokens[i] = token;
        return WL_OK;
    }
    void *tokens = added->tokens;
    wl_status status = wl_reserve(&tokens, &added->capacity, added->count + 1, sizeof token, error);
    added->tokens = tokens;
    if (status)
        free(token.content);
    else
        added->tokens[added->count++] = token;
    return status;
}

const wl_added_token *wl_added_find(const wl_added_tokens *added, wl_text content)
{
    for (size_t i = 0; i < added->count; i++) {
        const wl_added_token *token = &added->tokens[i];
        if (token->size == content.size && memcmp(token->content, content.data, content.size) == 0) return token;
    }
    return NULL;
}

wl_status wl_added_pattern(wl_added_tokens *added, size_t index, wl_text pattern, wl_error *error)
{
    wl_matcher *matcher = added->tokens[index].normalized ? &added->normalized : &added->raw;
    if (pattern.size) matcher->starts[(unsigned char)pattern.data[0]] = true;
    return wl_vocabulary_add(&matcher->patterns, pattern, (uint32_t)index, error);
}

static wl_status finish(wl_matcher *matcher, wl_error *error)
{
    int starts = 0;
    for (int byte = 0; byte < 256; byte++)
        if (matcher->starts[byte]) starts++, matcher->only_start = byte;
    if (starts != 1) matcher->only_start = -1;
    return wl_prefixes_build(&matcher->prefixes, &matcher->patterns, error);
}

wl_status wl_added_finish(wl_added_tokens *added, wl_error *error)
{
    return finish(&added->raw, error) || finish(&added->normalized, error) ? error->code : WL_OK;
}

void wl_added_free(wl_added_tokens *added)
{
    for (size_t i = 0; i < added->count; i++) free(added->tokens[i].content);
    free(added->tokens);
    wl_prefixes_free(&added->raw.prefixes);
    wl_prefixes_free(&added->normalized.prefixes);
    wl_vocabulary_free(&added->raw.patterns);
    wl_vocabulary_free(&added->normalized.patterns);
    *added = (wl_added_tokens){0};
}

static wl_status add_segment(wl_segments *segments, const wl_added_token *token, size_t begin, size_t end,
                             wl_error *error)
{
    void *items = segments->items;
    wl_status status = wl_reserve(&items, &segments->capacity, segments->count + 1, sizeof *segments->items, error);
    segments->items = items;
    if (!status) segments->items[segments->count++] = (wl_segment){token, begin, end};
    return status;
}

/* The start of the character that ends at end. */
static size_t before(const char *text, size_t end)
{
    do end--;
    while (((unsigned char)text[end] & 0xC0) == 0x80);
    return end;
}

static uint8_t class_at(const char *text, size_t at, size_t *length)
{
    return wl_unicode_class(wl_utf8_decode(text + at, length));
}

static bool is_single_word(const char *text, size_t size, size_t begin, size_t end)
{
    size_t length;
    if (begin > 0 && class_at(text, before(text, begin), &length) & WL_UNICODE_WORD) return false;
    return end == size || !(class_at(text, end, &length) & WL_UNICODE_WORD);
}

/* The next place from at on where a pattern may start; size where there is none. */
static size_t next_start(const wl_matcher *matcher, const char *text, size_t at, size_t size)
{
    if (matcher->only_start >= 0 && at < size) {
        const char *found = memchr(text + at, matcher->only_start, size - at);
        return found ? (size_t)(found - text) : size;
    }
    while (at < size && !matcher->starts[(unsigned char)text[at]]) at++;
    return at;
}

/* The oracle's find_matches. A match that is no single word is passed over whole; white space taken by right_strip does
 * not move the search, so a token may start inside it; left_strip stops at the previous token. */
wl_status wl_added_cut(const wl_added_tokens *added, const wl_matcher *matcher, const char *text, size_t size,
                       wl_segments *segments, wl_error *error)
{
    segments->count = 0;
    size_t done = 0, length;
    for (size_t at = 0; matcher->patterns.count && (at = next_start(matcher, text, at, size)) < size;) {
        uint32_t pattern = wl_prefixes_longest(&matcher->prefixes, text + at, size - at);
        if (pattern == WL_NO_ID) {
            at++;
            continue;
        }
        const wl_added_token *token = &added->tokens[matcher->patterns.pieces[pattern].id];
        size_t begin = at, end = at + matcher->patterns.pieces[pattern].size;
        at = end;
        if (token->single_word && !is_single_word(text, size, begin, end)) continue;
        while (token->left_strip && begin > done && class_at(text, before(text, begin), &length) & WL_UNICODE_SPACE)
            begin = before(text, begin);
        if (token->left_strip && begin < done) begin = done;
        while (token->right_strip && end < size && class_at(text, end, &length) & WL_UNICODE_SPACE) end += length;
        if (done < begin && add_segment(segments, NULL, done, begin, error)) return error->code;
        if (add_segment(segments, token, begin, end, error)) return error->code;
        done = end;
    }
    return done < size ? add_segment(segments, NULL, done, size, error) : WL_OK;
}
