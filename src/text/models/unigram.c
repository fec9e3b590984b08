#include "text/models/unigram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/unicode/utf8.h"

#define UNKNOWN_PENALTY 10.0 /* below the lowest score, as SentencePiece has it */

wl_status wl_unigram_prepare(wl_unigram *unigram, const wl_vocabulary *vocabulary, double *scores, size_t count,
                             wl_error *error)
{
    unigram->vocabulary = vocabulary;
    unigram->scores = scores;
    double lowest = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (scores[i] < lowest) lowest = scores[i];
    unigram->unknown_score = lowest - UNKNOWN_PENALTY;
    for (unsigned byte = 0; byte < 256; byte++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", byte);
        unigram->bytes[byte] = wl_vocabulary_find(vocabulary, name, 6);
    }
    return unigram->trie.units ? WL_OK : wl_trie_build_pieces(&unigram->trie, vocabulary, error);
}

wl_status wl_unigram_shadow(wl_unigram *unigram, wl_text piece, uint32_t id, wl_error *error)
{
    void *shadowed = unigram->shadowed;
    wl_status status = wl_reserve(&shadowed, &unigram->shadowed_capacity, unigram->shadowed_count + 1,
                                  sizeof *unigram->shadowed, error);
    unigram->shadowed = shadowed;
    if (status) return status;
    char *copy = wl_copy_text(piece.data, piece.size, error);
    if (!copy) return error->code;
    unigram->shadowed[unigram->shadowed_count++] = (wl_shadowed){copy, piece.size, id};
    return WL_OK;
}

wl_text wl_unigram_piece(const wl_unigram *unigram, uint32_t id)
{
    size_t low = 0, high = unigram->shadowed_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (unigram->shadowed[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == unigram->shadowed_count || unigram->shadowed[low].id != id)
        return wl_vocabulary_piece(unigram->vocabulary, id);
    return (wl_text){unigram->shadowed[low].piece, unigram->shadowed[low].size};
}

void wl_unigram_free(wl_unigram *unigram)
{
    for (size_t i = 0; i < unigram->shadowed_count; i++) free(unigram->shadowed[i].piece);
    free(unigram->shadowed);
    wl_trie_free(&unigram->trie);
    if (!unigram->lent) free(unigram->scores);
    *unigram = (wl_unigram){0};
}

void wl_unigram_scratch_free(wl_unigram_scratch *scratch)
{
    free(scratch->paths);
    *scratch = (wl_unigram_scratch){0};
}

/* Strictly better only: of equal scores the earliest start wins, as starts ascend. */
static inline bool is_better(const wl_path *path, double score)
{
    return path->begin == WL_NO_ID || score > path->score;
}

/* Fills paths[0..size]: the best way to each end of a character. */
static wl_status search(const wl_unigram *unigram, const char *text, size_t size, wl_path *paths, wl_error *error)
{
    const wl_trie_unit *units = unigram->trie.units;
    const size_t count = unigram->trie.count;
    for (size_t i = 0; i <= size; i++) paths[i] = (wl_path){0, WL_NO_ID, 0};
    size_t length;
    for (size_t begin = 0; begin < size; begin += length) {
        length = wl_utf8_length((unsigned char)text[begin]);
        double before = paths[begin].score;
        bool single = false; /* a piece matches just this character */
        uint32_t base = units[0].base;
        /* wl_trie_step, with the node in registers */
        for (size_t at = begin; at < size; at++) {
            unsigned char byte = (unsigned char)text[at];
            uint32_t child = base ^ byte;
            if (child >= count) break;
            const wl_trie_unit unit = units[child];
            if ((unit.entry & 0xFF) != byte) break;
            base = unit.base;
            uint32_t id = unit.entry >> 8;
            if (id == WL_TRIE_VALUES) continue;
            wl_path *path = &paths[at + 1];
            double score = before + unigram->scores[id];
            if (is_better(path, score)) *path = (wl_path){score, (uint32_t)begin, id};
            single |= at + 1 - begin == length;
        }
        if (single) continue;
        wl_path *path = &paths[begin + length];
        double score = before + unigram->unknown_score;
        if (!is_better(path, score)) continue;
        if (unigram->unknown == WL_NO_ID)
            return wl_fail(error, WL_ERROR_FORMAT, "the text needs an unknown token, but unk_id is missing");
        *path = (wl_path){score, (uint32_t)begin, unigram->unknown};
    }
    return WL_OK;
}

/* A run of unknowns is one string for the vocabulary; what it does not hold falls to bytes or is one unknown. */
static wl_status add_unknown(const wl_unigram *unigram, const char *text, size_t begin, size_t end, wl_tokens *tokens,
                             wl_error *error)
{
    bool longer = end - begin > unigram->vocabulary->longest;
    uint32_t id = longer ? WL_NO_ID : wl_vocabulary_find(unigram->vocabulary, text + begin, end - begin);
    if (id != WL_NO_ID) return wl_tokens_add(tokens, id, begin, end, error);
    bool bytes = unigram->byte_fallback;
    for (size_t i = begin; i < end && bytes; i++) bytes = unigram->bytes[(unsigned char)text[i]] != WL_NO_ID;
    if (!bytes) return wl_tokens_add(tokens, unigram->unknown, begin, end, error);
    for (size_t i = begin; i < end; i++)
        if (wl_tokens_add(tokens, unigram->bytes[(unsigned char)text[i]], begin, end, error)) return error->code;
    return WL_OK;
}

wl_status wl_unigram_encode(const wl_unigram *unigram, const char *text, size_t size, wl_unigram_scratch *scratch,
                            wl_tokens *tokens, wl_error *error)
{
    if (size >= UINT32_MAX) return wl_fail(error, WL_ERROR_LIMIT, "a piece of text is longer than 4 GiB");
    void *memory = scratch->paths;
    wl_status status = wl_reserve(&memory, &scratch->capacity, size + 1, sizeof *scratch->paths, error);
    scratch->paths = memory;
    wl_path *paths = scratch->paths;
    /* A token has a byte at least, so from here on there is room. */
    if (status || wl_tokens_reserve(tokens, size, error) || search(unigram, text, size, paths, error))
        return error->code;
    /* The best path is known from its end: turn its links round, then walk it from the start. */
    size_t next = size;
    for (size_t end = size; end > 0;) {
        size_t begin = paths[end].begin;
        paths[end].begin = (uint32_t)next;
        next = end;
        end = begin;
    }
    for (size_t begin = 0, end = next; begin < size;) {
        size_t after = paths[end].begin;
        uint32_t id = paths[end].id;
        bool unknown = id == unigram->unknown;
        while (unknown && end < size && paths[after].id == unigram->unknown) {
            end = after;
            after = paths[end].begin;
        }
        if (unknown) {
            if (add_unknown(unigram, text, begin, end, tokens, error)) return error->code;
        } else {
            if (tokens->spanned) tokens->spans[tokens->count] = (wl_span){(uint32_t)begin, (uint32_t)end};
            tokens->ids[tokens->count++] = id;
        }
        begin = end;
        end = after;
    }
    return WL_OK;
}

static double power_of_ten(unsigned exponent)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (exponent < sizeof exact / sizeof *exact) return exact[exponent];
    char text[16];
    snprintf(text, sizeof text, "1e%u", exponent); /* no decimal point, so no locale */
    return strtod(text, NULL);
}

double wl_unigram_score(wl_text number)
{
    const char *at = number.data, *end = number.data + number.size;
    bool negative = at < end && *at == '-';
    if (negative) at++;
    uint64_t digits = 0;
    long exponent = 0;
    bool fraction = false, full = false;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        uint64_t digit = (uint64_t)(*at - '0');
        full = full || digits > (UINT64_MAX - digit) / 10;
        if (!full) digits = digits * 10 + digit;
        /* Digits that no longer fit are dropped; in front of the point they still count. */
        if (fraction && !full) exponent--;
        if (!fraction && full) exponent++;
    }
    if (at < end) {
        at++;
        bool down = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+')) at++;
        long written = 0;
        for (; at < end; at++)
            if (written < 100000) written = written * 10 + (*at - '0');
        exponent += down ? -written : written;
    }
    double value = (double)digits;
    for (; exponent < -308 && value != 0; exponent += 308) value /= 1e308;
    if (exponent < 0 && value != 0) value /= power_of_ten((unsigned)-exponent);
    if (exponent > 0) value = exponent > 308 ? (value != 0 ? INFINITY : 0) : value * power_of_ten((unsigned)exponent);
    return negative ? -value : value;
}
