/* Reading the member "model" of tokenizer.json: the vocabulary, and what the model makes of it. */
#include <stdlib.h>
#include <string.h>

#include "text/packed.h"
#include "text/read/parts.h"

static void check(wl_json *json, wl_status status)
{
    /* Failures below the reader have no position: give them the cursor's. */
    if (!status || wl_json_failed(json)) return;
    wl_error cause = *json->error;
    wl_json_fail(json, cause.code, "%s", cause.message);
}

/* {"piece": id, ...} */
static void read_vocabulary(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_vocabulary *vocabulary = &tokenizer->vocabulary;
    wl_text key;
    if (tokenizer->packed) {
        wl_json_skip(json);
        if (!wl_json_failed(json)) check(json, wl_packed_vocabulary(tokenizer->packed, vocabulary, json->error));
        return;
    }
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        /* The key may lie in the scratch buffer, but reading a number does not touch that. */
        uint32_t id = (uint32_t)wl_json_unsigned(json, UINT32_MAX);
        if (!wl_json_failed(json)) check(json, wl_vocabulary_add(vocabulary, key, id, json->error));
    }
    if (!wl_json_failed(json)) check(json, wl_vocabulary_finish(vocabulary, json->error));
}

/* Reads a string or null into a token's id. */
static void read_unknown(wl_json *json, wl_buffer *name, bool *given)
{
    *given = !wl_json_null(json);
    if (!*given) return;
    wl_text text = wl_json_string(json);
    name->size = 0;
    if (!wl_json_failed(json)) check(json, wl_buffer_append(name, text.data, text.size, json->error));
}

static uint32_t find_unknown(const wl_vocabulary *vocabulary, const wl_buffer *name)
{
    return wl_vocabulary_find(vocabulary, name->data ? name->data : "", name->size);
}

static const char *const large[] = {"vocab", "merges"};

/* ---- BPE ---- */

/* Reads a string or null. */
static void read_affix(wl_json *json, wl_buffer *affix)
{
    bool given;
    affix->size = 0;
    read_unknown(json, affix, &given);
}

static void read_merges(wl_json *json, wl_tokenizer *tokenizer)
{
    if (!tokenizer->packed) {
        wl_merges_read(json, &tokenizer->bpe);
        return;
    }
    wl_json_skip(json);
    if (!wl_json_failed(json)) check(json, wl_packed_merges(tokenizer->packed, &tokenizer->bpe, json->error));
}

static void read_bpe(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_bpe *bpe = &tokenizer->bpe;
    wl_json merges = {0};
    wl_buffer unknown = {0};
    bool vocabulary = false, merges_read = false;
    wl_text key;
    tokenizer->kind = WL_MODEL_BPE;
    uint32_t seen = 0;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        wl_part_once(json, key, large, 2, &seen);
        if (wl_text_is(key, "vocab") && !vocabulary) {
            read_vocabulary(json, tokenizer);
            vocabulary = true;
            if (!wl_json_failed(json)) wl_bpe_prepare(bpe, &tokenizer->vocabulary);
        } else if (wl_text_is(key, "merges")) {
            merges = *json;
            merges_read = vocabulary; /* the order of the members is not fixed */
            if (merges_read)
                read_merges(json, tokenizer);
            else
                wl_json_skip(json);
        } else if (wl_text_is(key, "unk_token"))
            read_unknown(json, &unknown, &bpe->has_unknown);
        else if (wl_text_is(key, "fuse_unk"))
            bpe->fuse_unknown = !wl_json_null(json) && wl_json_boolean(json);
        else if (wl_text_is(key, "byte_fallback"))
            bpe->byte_fallback = !wl_json_null(json) && wl_json_boolean(json);
        else if (wl_text_is(key, "ignore_merges"))
            bpe->ignore_merges = !wl_json_null(json) && wl_json_boolean(json);
        else if (wl_text_is(key, "continuing_subword_prefix")) {
            read_affix(json, &bpe->prefix);
            if (bpe->prefix.size && merges_read) wl_bpe_clear_merges(bpe), merges_read = false;
        } else if (wl_text_is(key, "end_of_word_suffix"))
            read_affix(json, &bpe->suffix);
        else if (wl_text_is(key, "dropout") && !wl_json_null(json)) {
            wl_text dropout = wl_json_number(json);
            for (size_t i = 0; i < dropout.size; i++)
                if (dropout.data[i] >= '1' && dropout.data[i] <= '9')
                    wl_json_fail(json, WL_ERROR_UNSUPPORTED, "model 'BPE' with dropout gives ids by chance: refused");
        } else if (!wl_text_is(key, "dropout"))
            wl_json_skip(json);
    }
    wl_part_require(json, "model 'BPE'", "vocab", vocabulary);
    wl_part_require(json, "model 'BPE'", "merges", merges.text);
    if (!wl_json_failed(json) && !merges_read) {
        read_merges(&merges, tokenizer);
        json->failed = wl_json_failed(&merges);
    }
    bpe->unknown = find_unknown(&tokenizer->vocabulary, &unknown);
    wl_buffer_free(&unknown);
}

/* ---- WordPiece ---- */

static void read_wordpiece(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_wordpiece *wordpiece = &tokenizer->wordpiece;
    wl_buffer unknown = {0}, prefix = {0};
    bool vocabulary = false, has_unknown = false, has_prefix = false, limit = false;
    wl_text key;
    tokenizer->kind = WL_MODEL_WORDPIECE;
    uint32_t seen = 0;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        wl_part_once(json, key, large, 2, &seen);
        if (wl_text_is(key, "vocab") && !vocabulary)
            read_vocabulary(json, tokenizer), vocabulary = true;
        else if (wl_text_is(key, "unk_token"))
            read_unknown(json, &unknown, &has_unknown);
        else if (wl_text_is(key, "continuing_subword_prefix"))
            read_unknown(json, &prefix, &has_prefix);
        else if (wl_text_is(key, "max_input_chars_per_word"))
            wordpiece->max_characters = (size_t)wl_json_unsigned(json, SIZE_MAX), limit = true;
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "model 'WordPiece'", "vocab", vocabulary);
    wl_part_require(json, "model 'WordPiece'", "unk_token", has_unknown);
    wl_part_require(json, "model 'WordPiece'", "continuing_subword_prefix", has_prefix);
    wl_part_require(json, "model 'WordPiece'", "max_input_chars_per_word", limit);
    if (!wl_json_failed(json)) {
        wordpiece->unknown = find_unknown(&tokenizer->vocabulary, &unknown);
        if (tokenizer->packed)
            check(json, wl_packed_trie(tokenizer->packed, WL_TRIE_VALUES, &wordpiece->trie, json->error));
    }
    if (!wl_json_failed(json)) {
        check(json, wl_wordpiece_prepare(wordpiece, &tokenizer->vocabulary, (wl_text){prefix.data, prefix.size},
                                         json->error));
    }
    wl_buffer_free(&unknown);
    wl_buffer_free(&prefix);
}

/* ---- Unigram ---- */

/* [["piece", score], ...]: the place in the list is the id. */
static void read_scored(wl_json *json, wl_vocabulary *vocabulary, double **scores, size_t *count)
{
    void *memory = NULL;
    size_t capacity = 0;
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        size_t parts = 0;
        wl_json_begin_array(json);
        for (; wl_json_element(json); parts++) {
            if (parts == 0) {
                wl_text piece = wl_json_string(json);
                if (!wl_json_failed(json))
                    check(json, wl_vocabulary_add(vocabulary, piece, (uint32_t)*count, json->error));
            } else {
                wl_text number = wl_json_number(json);
                if (wl_json_failed(json)) break;
                check(json, wl_reserve(&memory, &capacity, *count + 1, sizeof **scores, json->error));
                if (!wl_json_failed(json)) ((double *)memory)[*count] = wl_unigram_score(number);
            }
        }
        if (wl_json_failed(json)) break;
        if (parts != 2) wl_json_fail(json, WL_ERROR_FORMAT, "a piece has %zu parts, expected piece and score", parts);
        ++*count;
    }
    *scores = memory;
    if (!wl_json_failed(json)) check(json, wl_vocabulary_finish(vocabulary, json->error));
}

/* Reads the list once more, for the names of the ids that a later piece of the same name took. */
static void read_shadowed(wl_json *list, wl_unigram *unigram, const wl_vocabulary *vocabulary)
{
    uint32_t id = 0;
    wl_json_begin_array(list);
    for (; wl_json_element(list); id++) {
        wl_json_begin_array(list);
        for (size_t part = 0; wl_json_element(list); part++) {
            if (part) {
                wl_json_skip(list);
                continue;
            }
            wl_text piece = wl_json_string(list);
            if (!wl_json_failed(list) && wl_vocabulary_find(vocabulary, piece.data, piece.size) != id)
                check(list, wl_unigram_shadow(unigram, piece, id, list->error));
        }
    }
}

/* The same of a packed file. */
static void read_lent(wl_json *json, wl_tokenizer *tokenizer, double **scores, size_t *count)
{
    wl_unigram *unigram = &tokenizer->unigram;
    read_vocabulary(json, tokenizer);
    if (wl_json_failed(json)) return;
    check(json, wl_packed_unigram(tokenizer->packed, &tokenizer->vocabulary, unigram, count, json->error));
    *scores = unigram->scores;
}

static void read_unigram(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_unigram *unigram = &tokenizer->unigram;
    double *scores = NULL;
    size_t count = 0;
    bool vocabulary = false;
    wl_text key;
    tokenizer->kind = WL_MODEL_UNIGRAM;
    unigram->unknown = WL_NO_ID;
    wl_json list = {0};
    uint32_t seen = 0;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        wl_part_once(json, key, large, 2, &seen);
        if (wl_text_is(key, "vocab") && !vocabulary) {
            list = *json;
            if (tokenizer->packed)
                read_lent(json, tokenizer, &scores, &count);
            else
                read_scored(json, &tokenizer->vocabulary, &scores, &count);
            vocabulary = true;
        } else if (wl_text_is(key, "unk_id"))
            unigram->unknown = wl_json_null(json) ? WL_NO_ID : (uint32_t)wl_json_unsigned(json, WL_ID_LIMIT - 1);
        else if (wl_text_is(key, "byte_fallback"))
            unigram->byte_fallback = wl_json_boolean(json);
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "model 'Unigram'", "vocab", vocabulary);
    tokenizer->model_size = count;
    if (!wl_json_failed(json) && unigram->unknown != WL_NO_ID && unigram->unknown >= count)
        wl_json_fail(json, WL_ERROR_FORMAT, "unk_id %u is not below the vocabulary's size %zu", unigram->unknown,
                     count);
    if (wl_json_failed(json)) {
        if (!unigram->lent) free(scores);
        return;
    }
    check(json, wl_unigram_prepare(unigram, &tokenizer->vocabulary, scores, count, json->error));
    if (!wl_json_failed(json) && count != tokenizer->vocabulary.count && !tokenizer->packed) {
        read_shadowed(&list, unigram, &tokenizer->vocabulary);
        json->failed = wl_json_failed(&list);
    }
}

/* ---- WordLevel ---- */

static void read_wordlevel(wl_json *json, wl_tokenizer *tokenizer)
{
    wl_wordlevel *wordlevel = &tokenizer->wordlevel;
    wl_buffer unknown = {0};
    bool vocabulary = false, has_unknown = false;
    wl_text key;
    tokenizer->kind = WL_MODEL_WORDLEVEL;
    uint32_t seen = 0;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        wl_part_once(json, key, large, 2, &seen);
        if (wl_text_is(key, "vocab") && !vocabulary)
            read_vocabulary(json, tokenizer), vocabulary = true;
        else if (wl_text_is(key, "unk_token"))
            read_unknown(json, &unknown, &has_unknown);
        else
            wl_json_skip(json);
    }
    wl_part_require(json, "model 'WordLevel'", "vocab", vocabulary);
    wl_part_require(json, "model 'WordLevel'", "unk_token", has_unknown);
    if (!wl_json_failed(json)) {
        wordlevel->vocabulary = &tokenizer->vocabulary;
        wordlevel->unknown = find_unknown(&tokenizer->vocabulary, &unknown);
    }
    wl_buffer_free(&unknown);
}

/* ---- which model ---- */

static const struct {
    const char *name;
    void (*read)(wl_json *json, wl_tokenizer *tokenizer);
} models[] = {
    {"BPE", read_bpe}, {"WordPiece", read_wordpiece}, {"Unigram", read_unigram}, {"WordLevel", read_wordlevel}};

/* A model without type is told by its members, in the oracle's order. */
static const char *guess(wl_json look)
{
    bool merges = false, prefix = false, list = false;
    wl_text key;
    wl_json_begin_object(&look);
    while (wl_json_member(&look, &key)) {
        merges |= wl_text_is(key, "merges");
        prefix |= wl_text_is(key, "max_input_chars_per_word");
        list |= wl_text_is(key, "vocab") && wl_json_peek(&look) == WL_JSON_ARRAY;
        wl_json_skip(&look);
    }
    return merges ? "BPE" : prefix ? "WordPiece" : list ? "Unigram" : "WordLevel";
}

void wl_model_read(wl_json *json, wl_tokenizer *tokenizer)
{
    char type[WL_PART_NAME];
    wl_part_type(json, type);
    if (wl_json_failed(json)) return;
    const char *name = type[0] ? type : guess(*json);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (strcmp(models[i].name, name) != 0) continue;
        models[i].read(json, tokenizer);
        return;
    }
    wl_json_fail(json, WL_ERROR_UNSUPPORTED, "model '%s' is not supported yet", name);
}
