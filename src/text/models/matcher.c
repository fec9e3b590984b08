#include "text/models/matcher.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW 4096 /* places, at least */

/* ---- building ---- */

wl_status wl_matcher_add(wl_matcher *matcher, wl_text pattern, uint32_t value, wl_error *error)
{
    wl_patterns *patterns = &matcher->patterns;
    if (pattern.size >= UINT32_MAX) return wl_fail(error, WL_ERROR_LIMIT, "a pattern is longer than 4 GiB");
    void *items = patterns->items;
    wl_status status = wl_reserve(&items, &patterns->capacity, patterns->count + 1, sizeof *patterns->items, error);
    patterns->items = items;
    uint64_t offset = patterns->bytes.size;
    if (status || wl_buffer_append(&patterns->bytes, pattern.data, pattern.size, error)) return error->code;
    patterns->items[patterns->count++] = (wl_match_pattern){offset, (uint32_t)pattern.size, value};
    if (pattern.size > patterns->longest) patterns->longest = (uint32_t)pattern.size;
    matcher->starts[(unsigned char)pattern.data[0]] = true;
    return WL_OK;
}

static wl_status build_trie(const wl_patterns *patterns, const char *bytes, wl_trie *trie, wl_error *error)
{
    wl_trie_key *keys = wl_allocate(patterns->count, sizeof *keys, error);
    if (!keys) return error->code;
    for (size_t i = 0; i < patterns->count; i++)
        keys[i] = (wl_trie_key){bytes + patterns->items[i].offset, patterns->items[i].size, (uint32_t)i};
    wl_status status = wl_trie_build(trie, keys, patterns->count, error);
    free(keys);
    return status;
}

/* The links of nodes of one depth need those of lower depth, so the patterns are gone through side by side, a byte
 * each at a time; a shared node is linked once. Cost: linear in the bytes of the patterns. */
static void link_nodes(wl_matcher *matcher, const char *bytes, uint32_t *nodes, uint32_t *active)
{
    const wl_patterns *patterns = &matcher->patterns;
    const wl_trie *trie = &matcher->backward;
    uint32_t *fails = matcher->fails, *found = matcher->found;
    size_t count = patterns->count;
    for (size_t i = 0; i < count; i++) active[i] = (uint32_t)i;
    memset(fails, 0xFF, trie->count * sizeof *fails);
    fails[0] = 0;
    found[0] = WL_NO_ID;
    for (uint32_t depth = 0; count; depth++) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            const wl_match_pattern *pattern = &patterns->items[active[i]];
            unsigned char byte = (unsigned char)bytes[pattern->offset + depth];
            uint32_t parent = nodes[active[i]], node = parent;
            wl_trie_step(trie, &node, byte);
            nodes[active[i]] = node;
            if (fails[node] == UINT32_MAX) {
                uint32_t fail = fails[parent];
                if (parent)
                    while (!wl_trie_step(trie, &fail, byte) && fail) fail = fails[fail];
                fails[node] = fail;
                uint32_t value = wl_trie_value(trie, node);
                found[node] = value != WL_NO_ID ? value : found[fail];
            }
            if (depth + 1 < pattern->size) active[kept++] = active[i];
        }
        count = kept;
    }
}

static wl_status build_backward(wl_matcher *matcher, wl_error *error)
{
    const wl_patterns *patterns = &matcher->patterns;
    char *bytes = wl_allocate(patterns->bytes.size, 1, error);
    if (!bytes) return error->code;
    for (size_t i = 0; i < patterns->count; i++) {
        const wl_match_pattern *pattern = &patterns->items[i];
        for (size_t j = 0; j < pattern->size; j++)
            bytes[pattern->offset + j] = patterns->bytes.data[pattern->offset + pattern->size - 1 - j];
    }
    wl_status status = build_trie(patterns, bytes, &matcher->backward, error);
    uint32_t *nodes = status ? NULL : wl_allocate(patterns->count, sizeof *nodes, error);
    uint32_t *active = nodes ? wl_allocate(patterns->count, sizeof *active, error) : NULL;
    matcher->fails = active ? wl_allocate(matcher->backward.count, sizeof *matcher->fails, error) : NULL;
    matcher->found = matcher->fails ? wl_allocate(matcher->backward.count, sizeof *matcher->found, error) : NULL;
    if (matcher->found)
        link_nodes(matcher, bytes, nodes, active);
    else
        status = error->code;
    free(bytes);
    free(nodes);
    free(active);
    return status;
}

wl_status wl_matcher_finish(wl_matcher *matcher, wl_error *error)
{
    int starts = 0;
    for (int byte = 0; byte < 256; byte++)
        if (matcher->starts[byte]) starts++, matcher->only_start = byte;
    if (starts != 1) matcher->only_start = -1;
    if (matcher->patterns.count == 0) return WL_OK;
    wl_status status = build_trie(&matcher->patterns, matcher->patterns.bytes.data, &matcher->trie, error);
    return status || matcher->patterns.longest <= WL_MATCHER_STEPS ? status : build_backward(matcher, error);
}

void wl_matcher_free(wl_matcher *matcher)
{
    wl_buffer_free(&matcher->patterns.bytes);
    free(matcher->patterns.items);
    wl_trie_free(&matcher->trie);
    wl_trie_free(&matcher->backward);
    free(matcher->fails);
    free(matcher->found);
    *matcher = (wl_matcher){0};
}

void wl_matcher_scratch_free(wl_matcher_scratch *scratch)
{
    free(scratch->found);
    *scratch = (wl_matcher_scratch){0};
}

/* ---- matching ---- */

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

/* The longest pattern that starts text, or WL_NO_ID; *steps is how far the trie led. */
static uint32_t longest(const wl_trie *trie, const char *text, size_t size, size_t *steps)
{
    uint32_t node = 0, pattern = WL_NO_ID;
    size_t at = 0;
    for (; at < size && wl_trie_step(trie, &node, (unsigned char)text[at]); at++) {
        uint32_t value = wl_trie_value(trie, node);
        if (value != WL_NO_ID) pattern = value;
    }
    *steps = at;
    return pattern;
}

/* A window from begin on. No pattern that starts in it ends behind the place where reading begins. */
static wl_status look_ahead(const wl_matcher *matcher, const char *text, size_t size, size_t begin,
                            wl_matcher_scratch *scratch, wl_error *error)
{
    size_t width = (size_t)matcher->patterns.longest * 4;
    if (width < WINDOW) width = WINDOW;
    size_t end = size - begin > width ? begin + width : size;
    size_t from = size - end >= matcher->patterns.longest ? end + matcher->patterns.longest - 1 : size;
    void *found = scratch->found;
    wl_status status = wl_reserve(&found, &scratch->capacity, end - begin, sizeof *scratch->found, error);
    scratch->found = found;
    if (status) return status;
    uint32_t node = 0;
    for (size_t at = from; at-- > begin;) {
        while (!wl_trie_step(&matcher->backward, &node, (unsigned char)text[at]) && node) node = matcher->fails[node];
        if (at < end) scratch->found[at - begin] = matcher->found[node];
    }
    scratch->begin = begin;
    scratch->end = end;
    return WL_OK;
}

wl_status wl_matcher_next(const wl_matcher *matcher, const char *text, size_t size, wl_matcher_scratch *scratch,
                          size_t *at, const wl_match_pattern **match, wl_error *error)
{
    *match = NULL;
    if (matcher->patterns.count == 0) return WL_OK;
    for (size_t place = *at; (place = next_start(matcher, text, place, size)) < size; place++) {
        uint32_t pattern;
        if (place >= scratch->end) {
            size_t steps;
            pattern = longest(&matcher->trie, text + place, size - place, &steps);
            if (steps > WL_MATCHER_STEPS && look_ahead(matcher, text, size, place, scratch, error)) return error->code;
        } else
            pattern = scratch->found[place - scratch->begin];
        if (pattern == WL_NO_ID) continue;
        *at = place;
        *match = &matcher->patterns.items[pattern];
        return WL_OK;
    }
    return WL_OK;
}
