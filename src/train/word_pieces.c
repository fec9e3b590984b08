/* Byte-pair encoding (Gage 1994; Sennrich et al., ACL 2016) over characters, as the trainer of the library `tokenizers`
 * makes WordPiece's vocabularies: the most frequent pair of neighbours in all words becomes a piece, again and again;
 * of equal ones that of the smaller numbers. A heap gives the pair; what it says of a pair that was changed since is
 * put right when it comes up. */
#include "train/word_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "text/unicode/utf8.h"

enum { FIRST_SLOTS = 1 << 12, ASKED = 64, PREFIX = sizeof WL_PIECE_PREFIX - 1 };

/* Neighbours, and the words that hold them, or held them. */
typedef struct pair {
    uint64_t key; /* the left one's number, then the right one's */
    uint64_t count;
    uint32_t *words;
    size_t word_count, word_capacity;
} pair;

typedef struct candidate {
    uint64_t count, key;
    uint32_t pair;
} candidate;

typedef struct learning {
    const wl_word_counts *words;
    wl_word_counts *vocabulary;
    uint32_t *symbols; /* of all words, each in its place */
    size_t *starts;    /* (words + 1) */
    uint32_t *lengths; /* (words): symbols left; 0: the word is left out */
    pair *pairs;
    size_t pair_count, pair_capacity;
    uint32_t *slots; /* number of a pair and 1 */
    size_t slot_count;
    candidate *heap;
    size_t heap_count, heap_capacity;
    uint32_t *touched; /* pairs that a joining made more frequent */
    size_t touched_count, touched_capacity;
    wl_buffer text;
    wl_error *error;
} learning;

/* ---- the heap ---------------------------------------------------------------------------------------------------- */

static bool is_before(const candidate *a, const candidate *b)
{
    return a->count != b->count ? a->count > b->count : a->key < b->key;
}

static wl_status push(learning *this, uint32_t number)
{
    void *heap = this->heap;
    if (wl_reserve(&heap, &this->heap_capacity, this->heap_count + 1, sizeof *this->heap, this->error))
        return this->error->code;
    this->heap = heap;
    candidate new = {this->pairs[number].count, this->pairs[number].key, number};
    size_t at = this->heap_count++;
    for (; at && is_before(&new, &this->heap[(at - 1) / 2]); at = (at - 1) / 2)
        this->heap[at] = this->heap[(at - 1) / 2];
    this->heap[at] = new;
    return WL_OK;
}

static candidate pop(learning *this)
{
    candidate best = this->heap[0], last = this->heap[--this->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < this->heap_count; at = child) {
        if (child + 1 < this->heap_count && is_before(&this->heap[child + 1], &this->heap[child])) child++;
        if (!is_before(&this->heap[child], &last)) break;
        this->heap[at] = this->heap[child];
    }
    this->heap[at] = last;
    return best;
}

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

static size_t slot_of(const learning *this, uint64_t key)
{
    size_t slot = (size_t)wl_hash_range(wl_hash_integer(key), this->slot_count);
    for (; this->slots[slot] && this->pairs[this->slots[slot] - 1].key != key;)
        slot = slot + 1 == this->slot_count ? 0 : slot + 1;
    return slot;
}

static wl_status grow(learning *this)
{
    size_t slot_count = this->slot_count ? 2 * this->slot_count : FIRST_SLOTS;
    uint32_t *slots = wl_allocate(slot_count, sizeof *slots, this->error);
    if (!slots) return WL_ERROR_MEMORY;
    free(this->slots);
    this->slots = slots;
    this->slot_count = slot_count;
    for (size_t i = 0; i < this->pair_count; i++) slots[slot_of(this, this->pairs[i].key)] = (uint32_t)i + 1;
    return WL_OK;
}

static wl_status find_pair(learning *this, uint64_t key, uint32_t *number)
{
    if (2 * this->pair_count >= this->slot_count && grow(this)) return this->error->code;
    size_t slot = slot_of(this, key);
    if (!this->slots[slot]) {
        void *pairs = this->pairs;
        if (wl_reserve(&pairs, &this->pair_capacity, this->pair_count + 1, sizeof *this->pairs, this->error))
            return this->error->code;
        this->pairs = pairs;
        this->pairs[this->pair_count++] = (pair){.key = key};
        this->slots[slot] = (uint32_t)this->pair_count;
    }
    *number = this->slots[slot] - 1;
    return WL_OK;
}

static uint64_t key_of(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 32 | right;
}

static wl_status touch(learning *this, uint32_t number)
{
    void *touched = this->touched;
    if (wl_reserve(&touched, &this->touched_capacity, this->touched_count + 1, sizeof *this->touched, this->error))
        return this->error->code;
    this->touched = touched;
    this->touched[this->touched_count++] = number;
    return WL_OK;
}

/* All pairs of a word become more frequent by its count, or less. */
static wl_status count_pairs(learning *this, uint32_t word, bool add)
{
    const uint32_t *symbols = this->symbols + this->starts[word];
    uint64_t count = this->words->words[word].count;
    for (uint32_t i = 1; i < this->lengths[word]; i++) {
        uint32_t number = 0;
        if (find_pair(this, key_of(symbols[i - 1], symbols[i]), &number)) return this->error->code;
        pair *of = &this->pairs[number];
        of->count += add ? count : 0 - count;
        if (!add || (of->word_count && of->words[of->word_count - 1] == word)) continue;
        void *words = of->words;
        if (wl_reserve(&words, &of->word_capacity, of->word_count + 1, sizeof *of->words, this->error))
            return this->error->code;
        of->words = words;
        of->words[of->word_count++] = word;
        if (touch(this, number)) return this->error->code;
    }
    return WL_OK;
}

/* ---- characters -------------------------------------------------------------------------------------------------- */

/* How often each character occurs, and inside a word. */
static wl_status count_characters(const wl_word_counts *words, wl_word_counts *characters, wl_word_counts *inside,
                                  wl_error *error)
{
    for (size_t i = 0; i < words->count; i++) {
        wl_text word = wl_word_counts_text(words, i);
        for (size_t at = 0, size; at < word.size; at += size) {
            uint32_t number;
            size = wl_utf8_length((unsigned char)word.data[at]);
            wl_text character = {word.data + at, size};
            uint64_t count = words->words[i].count;
            if (wl_word_counts_add(characters, character, count, &number, error) ||
                (at && wl_word_counts_add(inside, character, count, &number, error)))
                return error->code;
        }
    }
    return WL_OK;
}

static wl_status add_piece(learning *this, wl_text text, bool inside, uint32_t *number)
{
    this->text.size = 0;
    if ((inside && wl_buffer_append(&this->text, WL_PIECE_PREFIX, PREFIX, this->error)) ||
        wl_buffer_append(&this->text, text.data, text.size, this->error))
        return this->error->code;
    return wl_word_counts_add(this->vocabulary, (wl_text){this->text.data, this->text.size}, 0, number, this->error);
}

static int compare_texts(const void *left, const void *right)
{
    const wl_text *a = left, *b = right;
    size_t shorter = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->data, b->data, shorter);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

/* The most frequent characters become pieces; and again those of them that stand inside words, as such. */
static wl_status add_alphabet(learning *this, const wl_word_counts *characters, const wl_word_counts *inside,
                              size_t most, size_t pieces)
{
    uint32_t *order = wl_word_counts_sort(characters, this->error);
    size_t count = characters->count < most ? characters->count : most;
    wl_text *texts = order ? wl_allocate(count, sizeof *texts, this->error) : NULL;
    wl_status status = texts ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < count && !status; i++) texts[i] = wl_word_counts_text(characters, order[i]);
    if (!status && count) qsort(texts, count, sizeof *texts, compare_texts);
    uint32_t number;
    for (size_t i = 0; i < count && this->vocabulary->count < pieces && !status; i++)
        status = add_piece(this, texts[i], false, &number);
    for (size_t i = 0; i < count && this->vocabulary->count < pieces && !status; i++)
        if (wl_word_counts_find(inside, texts[i]) != UINT32_MAX) status = add_piece(this, texts[i], true, &number);
    free(texts);
    free(order);
    return status;
}

/* A word as its characters; one with a character that is no piece is left out. */
static wl_status spell(learning *this, uint32_t word)
{
    wl_text text = wl_word_counts_text(this->words, word);
    uint32_t *symbols = this->symbols + this->starts[word], length = 0;
    for (size_t at = 0, size; at < text.size; at += size) {
        char piece[PREFIX + 4] = WL_PIECE_PREFIX;
        size = wl_utf8_length((unsigned char)text.data[at]);
        memcpy(piece + PREFIX, text.data + at, size);
        wl_text whole = {at ? piece : piece + PREFIX, size + (at ? PREFIX : 0)};
        symbols[length] = wl_word_counts_find(this->vocabulary, whole);
        if (symbols[length++] == UINT32_MAX) return WL_OK;
    }
    this->lengths[word] = length;
    return count_pairs(this, word, true);
}

static wl_status spell_all(learning *this)
{
    size_t count = this->words->count, symbols = 0;
    this->starts = wl_allocate(count + 1, sizeof *this->starts, this->error);
    this->lengths = this->starts ? wl_allocate(count + 1, sizeof *this->lengths, this->error) : NULL;
    if (!this->lengths) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        this->starts[i] = symbols;
        symbols += this->words->words[i].size; /* at least as many as characters */
    }
    this->symbols = wl_allocate(symbols, sizeof *this->symbols, this->error);
    if (!this->symbols) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (spell(this, (uint32_t)i)) return this->error->code;
    this->touched_count = 0;
    for (size_t i = 0; i < this->pair_count; i++)
        if (push(this, (uint32_t)i)) return this->error->code;
    return WL_OK;
}

/* ---- joining ----------------------------------------------------------------------------------------------------- */

static wl_status join_in_word(learning *this, uint32_t word, uint64_t key, uint32_t piece)
{
    uint32_t *symbols = this->symbols + this->starts[word], length = this->lengths[word], left = 0;
    bool held = false;
    for (uint32_t i = 1; i < length && !held; i++) held = key_of(symbols[i - 1], symbols[i]) == key;
    if (!held) return WL_OK; /* another joining took it */
    if (count_pairs(this, word, false)) return this->error->code;
    for (uint32_t i = 0; i < length; i++) {
        bool joined = i + 1 < length && key_of(symbols[i], symbols[i + 1]) == key;
        symbols[left++] = joined ? piece : symbols[i];
        i += joined;
    }
    this->lengths[word] = left;
    return count_pairs(this, word, true);
}

/* The piece of two neighbours. */
static wl_status join_texts(learning *this, uint64_t key, uint32_t *piece)
{
    wl_text left = wl_word_counts_text(this->vocabulary, key >> 32);
    wl_text right = wl_word_counts_text(this->vocabulary, (uint32_t)key);
    this->text.size = 0;
    if (wl_buffer_append(&this->text, left.data, left.size, this->error) ||
        wl_buffer_append(&this->text, right.data + PREFIX, right.size - PREFIX, this->error))
        return this->error->code;
    return wl_word_counts_add(this->vocabulary, (wl_text){this->text.data, this->text.size}, 0, piece, this->error);
}

static wl_status join(learning *this, uint32_t number)
{
    uint64_t key = this->pairs[number].key;
    uint32_t piece = 0, *words = this->pairs[number].words;
    size_t count = this->pairs[number].word_count;
    if (join_texts(this, key, &piece)) return this->error->code;
    /* Its words are taken away: the table of pairs grows meanwhile. */
    this->pairs[number].words = NULL;
    this->pairs[number].word_count = this->pairs[number].word_capacity = 0;
    this->touched_count = 0;
    wl_status status = WL_OK;
    for (size_t i = 0; i < count && !status; i++) status = join_in_word(this, words[i], key, piece);
    free(words);
    for (size_t i = 0; i < this->touched_count && !status; i++) status = push(this, this->touched[i]);
    return status;
}

static wl_status join_all(learning *this, const wl_piece_options *options)
{
    for (size_t round = 1; this->vocabulary->count < options->pieces && this->heap_count; round++) {
        candidate best = pop(this);
        if (round % ASKED == 0 && options->go_on && !options->go_on(options->user))
            return wl_fail(this->error, WL_ERROR_CANCELLED, "cancelled");
        uint64_t count = this->pairs[best.pair].count;
        if (count > best.count) continue; /* another candidate says so */
        if (count < options->least_count || !count) continue;
        if (count < best.count) {
            if (push(this, best.pair)) return this->error->code;
        } else if (join(this, best.pair))
            return this->error->code;
    }
    return WL_OK;
}

wl_status wl_learn_pieces(const wl_word_counts *words, const wl_piece_options *options, wl_word_counts *vocabulary,
                          wl_error *error)
{
    learning this = {.words = words, .vocabulary = vocabulary, .error = error};
    wl_word_counts characters = {0}, inside = {0};
    wl_status status = count_characters(words, &characters, &inside, error);
    if (!status) status = add_alphabet(&this, &characters, &inside, options->alphabet, options->pieces);
    if (!status) status = spell_all(&this);
    if (!status) status = join_all(&this, options);
    wl_word_counts_free(&characters);
    wl_word_counts_free(&inside);
    for (size_t i = 0; i < this.pair_count; i++) free(this.pairs[i].words);
    free(this.pairs);
    free(this.slots);
    free(this.heap);
    free(this.touched);
    free(this.symbols);
    free(this.starts);
    free(this.lengths);
    wl_buffer_free(&this.text);
    return status;
}
