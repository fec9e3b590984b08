#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

/* ---- the tokens by content and by id ---- */

/* The slot of by_content that holds this content, or the empty one where it belongs. */
static uint32_t *content_slot(const wl_added_tokens *added, wl_text content)
{
    size_t mask = added->slot_count - 1, slot = wl_hash_bytes(content.data, content.size) & mask;
    for (;; slot = (slot + 1) & mask) {
        uint32_t index = added->by_content[slot];
        if (index == 0) return &added->by_content[slot];
        const wl_added_token *token = &added->tokens[index - 1];
        if (token->size == content.size && memcmp(token->content, content.data, content.size) == 0)
            return &added->by_content[slot];
    }
}

/* The same of by_id. */
static uint32_t *id_slot(const wl_added_tokens *added, uint32_t id)
{
    size_t mask = added->slot_count - 1, slot = wl_hash_integer(id) & mask;
    for (;; slot = (slot + 1) & mask) {
        uint32_t index = added->by_id[slot];
        if (index == 0 || added->tokens[index - 1].id == id) return &added->by_id[slot];
    }
}

static wl_status grow(wl_added_tokens *added, wl_error *error)
{
    size_t count = added->slot_count ? added->slot_count * 2 : 64;
    uint32_t *by_content = wl_allocate(count, sizeof *by_content, error);
    uint32_t *by_id = wl_allocate(count, sizeof *by_id, error);
    if (!by_content || !by_id) {
        free(by_content);
        free(by_id);
        return error->code;
    }
    free(added->by_content);
    free(added->by_id);
    added->by_content = by_content;
    added->by_id = by_id;
    added->slot_count = count;
    for (uint32_t i = 0; i < added->count; i++) {
        const wl_added_token *token = &added->tokens[i];
        *content_slot(added, (wl_text){token->content, token->size}) = i + 1;
        *id_slot(added, token->id) = i + 1;
    }
    return WL_OK;
}

wl_status wl_added_add(wl_added_tokens *added, wl_added_token token, wl_error *error)
{
    void *tokens = added->tokens;
    wl_status status = wl_reserve(&tokens, &added->capacity, added->count + 1, sizeof token, error);
    added->tokens = tokens;
    if (!status && (added->count + 1) * 2 > added->slot_count) status = grow(added, error);
    if (status) {
        free(token.content);
        return status;
    }
    uint32_t *by_id = id_slot(added, token.id);
    uint32_t *by_content = content_slot(added, (wl_text){token.content, token.size});
    if (*by_id && *by_id == *by_content) {
        free(added->tokens[*by_id - 1].content);
        added->tokens[*by_id - 1] = token;
        return WL_OK;
    }
    if (*by_id) added->tokens[*by_id - 1].replaced = true;
    added->tokens[added->count++] = token;
    *by_id = *by_content = (uint32_t)added->count;
    return WL_OK;
}

const wl_added_token *wl_added_find(const wl_added_tokens *added, wl_text content)
{
    uint32_t index = added->count ? *content_slot(added, content) : 0;
    return index ? &added->tokens[index - 1] : NULL;
}

const wl_added_token *wl_added_by_id(const wl_added_tokens *added, uint32_t id)
{
    uint32_t index = added->count ? *id_slot(added, id) : 0;
    return index ? &added->tokens[index - 1] : NULL;
}

wl_status wl_added_pattern(wl_added_tokens *added, size_t index, wl_text pattern, wl_error *error)
{
    if (added->tokens[index].replaced) return WL_OK;
    wl_matcher *matcher = added->tokens[index].normalized ? &added->normalized : &added->raw;
    return wl_matcher_add(matcher, pattern, (uint32_t)index, error);
}

wl_status wl_added_finish(wl_added_tokens *added, wl_error *error)
{
    return wl_matcher_finish(&added->raw, error) || wl_matcher_finish(&added->normalized, error) ? error->code : WL_OK;
}

void wl_added_free(wl_added_tokens *added)
{
    for (size_t i = 0; i < added->count; i++) free(added->tokens[i].content);
    free(added->tokens);
    free(added->by_content);
    free(added->by_id);
    wl_matcher_free(&added->raw);
    wl_matcher_free(&added->normalized);
    *added = (wl_added_tokens){0};
}

/* ---- cutting ---- */

void wl_segments_free(wl_segments *segments)
{
    free(segments->items);
    wl_matcher_scratch_free(&segments->matcher);
    *segments = (wl_segments){0};
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

/* The oracle's find_matches. A match that is no single word is passed over whole; white space taken by right_strip does
 * not move the search, so a token may start inside it; left_strip stops at the previous token. */
wl_status wl_added_cut(const wl_added_tokens *added, const wl_matcher *matcher, const char *text, size_t size,
                       wl_segments *segments, wl_error *error)
{
    segments->count = 0;
    wl_matcher_begin(&segments->matcher);
    size_t done = 0, length;
    size_t space = 0, space_end = 0; /* the white space that right_strip took last: it is read but once */
    for (size_t at = 0;;) {
        const wl_match_pattern *match;
        if (wl_matcher_next(matcher, text, size, &segments->matcher, &at, &match, error)) return error->code;
        if (!match) break;
        const wl_added_token *token = &added->tokens[match->value];
        size_t begin = at, end = at + match->size;
        at = end;
        if (token->single_word && !is_single_word(text, size, begin, end)) continue;
        while (token->left_strip && begin > done && class_at(text, before(text, begin), &length) & WL_UNICODE_SPACE)
            begin = before(text, begin);
        if (token->left_strip && begin < done) begin = done;
        if (token->right_strip) {
            if (end < space || end > space_end)
                for (space = space_end = end;
                     space_end < size && class_at(text, space_end, &length) & WL_UNICODE_SPACE;)
                    space_end += length;
            end = space_end;
        }
        if (begin >= end) continue; /* white space that the token before took was all of it */
        if (done < begin && add_segment(segments, NULL, done, begin, error)) return error->code;
        if (add_segment(segments, token, begin, end, error)) return error->code;
        done = end;
    }
    return done < size ? add_segment(segments, NULL, done, size, error) : WL_OK;
}
