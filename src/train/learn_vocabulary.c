/* A vocabulary of one's own: words are counted, pieces learned from the counts, and the most frequent words added
 * whole. A static model gains by whole words: each has a row that is its own (docs/models.md has figures). */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/prepare.h"
#include "text/normalize/normalize.h"
#include "text/pretokenize/pretokenize.h"
#include "text/unicode/utf8.h"
#include "train/word_pieces.h"

enum { ENTRIES = 60000, PIECES = 8000, ALPHABET = 1000, LEAST_COUNT = 2, LONGEST_WORD = 100, SPECIAL = 2, TOLD = 4096 };

static const char *const special_tokens[SPECIAL] = {"[PAD]", "[UNK]"};

typedef struct reading {
    wl_vocabulary_options options;
    wl_normalizer normalizer;
    wl_pretokenizer pretokenizer;
    wl_string string;
    wl_normalize_scratch normalize;
    wl_pretokenize_scratch pretokenize;
    wl_pieces pieces;
    wl_sides sides;
    wl_word_counts words;
    wl_vocabulary_learned learned;
    uint64_t records, bytes;
    wl_error *error;
} reading;

/* ---- counting ---------------------------------------------------------------------------------------------------- */

static wl_status count_words(reading *this, wl_text text)
{
    wl_string_clear(&this->string, false);
    if (wl_string_add(&this->string, text.data, text.size, (wl_span){0, 0}, this->error) ||
        wl_normalize(&this->normalizer, 1, &this->string, &this->normalize, this->error) ||
        wl_pretokenize(&this->pretokenizer, 1, &this->string, &this->pieces, &this->pretokenize, this->error))
        return this->error->code;
    for (size_t i = 0; i < this->pieces.count; i++) {
        size_t begin = this->pieces.ranges[i].begin;
        wl_text word = {this->string.text.data + begin, this->pieces.ranges[i].end - begin};
        uint32_t number;
        if (wl_utf8_count(word.data, word.size) > LONGEST_WORD) continue; /* WordPiece takes it for unknown */
        if (wl_word_counts_add(&this->words, word, 1, &number, this->error)) return this->error->code;
    }
    this->learned.words += this->pieces.count;
    this->learned.texts++;
    this->bytes += text.size;
    return WL_OK;
}

static wl_status count_record(reading *this, const wl_records *records)
{
    float score;
    this->sides.count = this->sides.bytes.size = 0;
    if (wl_prepare_sides(records, &this->sides, &score, this->error)) return this->error->code;
    for (size_t i = 0, begin = 0; i < this->sides.count; begin = this->sides.ends[i++])
        if (count_words(this, (wl_text){this->sides.bytes.data + begin, this->sides.ends[i] - begin}))
            return this->error->code;
    if (++this->records % TOLD || !this->options.progress) return WL_OK;
    if (this->options.progress(this->options.user, this->records, this->bytes)) return WL_OK;
    return wl_fail(this->error, WL_ERROR_CANCELLED, "cancelled");
}

static wl_status count_file(reading *this, const char *path)
{
    wl_records records;
    wl_status status = wl_records_open(&records, path, this->error);
    for (int got = 1; !status && got > 0;) {
        got = wl_records_next(&records, this->error);
        if (got < 0) status = this->error->code;
        if (got > 0) status = count_record(this, &records);
    }
    wl_records_close(&records);
    return status;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

/* The most frequent words, until the vocabulary is full. */
static wl_status add_words(reading *this, wl_word_counts *vocabulary)
{
    uint32_t *order = wl_word_counts_sort(&this->words, this->error), number;
    if (!order) return WL_ERROR_MEMORY;
    wl_status status = WL_OK;
    for (size_t i = 0; i < this->words.count && vocabulary->count < this->options.entries && !status; i++) {
        const wl_word *word = &this->words.words[order[i]];
        if (word->count < this->options.least_count) break;
        status = wl_word_counts_add(vocabulary, wl_word_counts_text(&this->words, order[i]), 0, &number, this->error);
    }
    free(order);
    return status;
}

static double covered(const reading *this, const wl_word_counts *vocabulary)
{
    uint64_t found = 0;
    for (size_t i = 0; i < this->words.count; i++)
        if (wl_word_counts_find(vocabulary, wl_word_counts_text(&this->words, i)) != UINT32_MAX)
            found += this->words.words[i].count;
    return (double)found / (double)this->learned.words;
}

static bool go_on(void *user)
{
    const reading *this = user;
    return !this->options.progress || this->options.progress(this->options.user, this->records, this->bytes);
}

static wl_status choose(reading *this, wl_word_counts *vocabulary)
{
    wl_piece_options pieces = {this->options.pieces, this->options.alphabet, this->options.least_count, go_on, this};
    wl_status status = WL_OK;
    for (size_t i = 0; i < SPECIAL && !status; i++) {
        wl_text token = {special_tokens[i], strlen(special_tokens[i])};
        uint32_t number;
        status = wl_word_counts_add(vocabulary, token, 0, &number, this->error);
    }
    if (!status) status = wl_learn_pieces(&this->words, &pieces, vocabulary, this->error);
    this->learned.pieces = vocabulary->count - SPECIAL;
    if (!status) status = add_words(this, vocabulary);
    this->learned.different = this->words.count;
    this->learned.entries = vocabulary->count;
    if (!status) this->learned.covered = covered(this, vocabulary);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void write_special(wl_json_writer *json)
{
    for (size_t i = 0; i < SPECIAL; i++)
        wl_json_write(json,
                      "%s\n    {\"id\": %zu, \"content\": \"%s\", \"single_word\": false, \"lstrip\": false, "
                      "\"rstrip\": false, \"normalized\": false, \"special\": true}",
                      i ? "," : "", i, special_tokens[i]);
}

static void write_vocabulary(wl_json_writer *json, const wl_word_counts *vocabulary)
{
    for (size_t i = 0; i < vocabulary->count; i++) {
        wl_json_write(json, "%s\n      ", i ? "," : "");
        wl_json_write_string(json, wl_word_counts_text(vocabulary, i));
        wl_json_write(json, ": %zu", i);
    }
}

static void write_tokenizer(wl_json_writer *json, const wl_word_counts *vocabulary, bool cased)
{
    wl_json_write(json, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n"
                        "  \"added_tokens\": [");
    write_special(json);
    wl_json_write(json,
                  "\n  ],\n  \"normalizer\": {\"type\": \"BertNormalizer\", \"clean_text\": true, "
                  "\"handle_chinese_chars\": true, \"strip_accents\": %s, \"lowercase\": %s},\n"
                  "  \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"},\n  \"post_processor\": null,\n"
                  "  \"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"" WL_PIECE_PREFIX "\", \"cleanup\": true},\n"
                  "  \"model\": {\n    \"type\": \"WordPiece\", \"unk_token\": \"%s\", "
                  "\"continuing_subword_prefix\": \"" WL_PIECE_PREFIX "\", \"max_input_chars_per_word\": %d,\n"
                  "    \"vocab\": {",
                  cased ? "false" : "true", cased ? "false" : "true", special_tokens[1], LONGEST_WORD);
    write_vocabulary(json, vocabulary);
    wl_json_write(json, "\n    }\n  }\n}\n");
}

static wl_status save(const reading *this, const wl_word_counts *vocabulary, const char *path)
{
    wl_buffer text = {0};
    wl_json_writer json = {&text, this->error, WL_OK};
    wl_replacement file;
    write_tokenizer(&json, vocabulary, this->options.cased);
    wl_status status = json.status;
    if (!status) status = wl_replacement_open(&file, path, this->error);
    if (!status) {
        fwrite(text.data, 1, text.size, file.stream); /* a failure stays with the stream */
        status = wl_replacement_commit(&file, this->error);
    }
    wl_buffer_free(&text);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status read_options(reading *this, const wl_vocabulary_options *options)
{
    wl_vocabulary_options *own = &this->options;
    if (wl_read_options(own, sizeof *own, options, "wl_vocabulary_options", this->error)) return this->error->code;
    if (!own->entries) own->entries = ENTRIES;
    if (!own->pieces) own->pieces = own->entries < PIECES ? own->entries : PIECES;
    if (!own->alphabet) own->alphabet = ALPHABET;
    if (!own->least_count) own->least_count = LEAST_COUNT;
    this->normalizer = (wl_normalizer){.kind = WL_NORMALIZE_BERT,
                                       .clean_text = true,
                                       .chinese_chars = true,
                                       .strip_accents = !own->cased,
                                       .lowercase = !own->cased};
    this->pretokenizer = (wl_pretokenizer){.kind = WL_PRETOKENIZE_BERT};
    if (own->pieces <= own->entries) return WL_OK;
    return wl_fail(this->error, WL_ERROR_ARGUMENT, "%u pieces are more than the vocabulary's %u entries", own->pieces,
                   own->entries);
}

wl_status wl_learn_vocabulary(const char *const *paths, size_t count, const char *path,
                              const wl_vocabulary_options *options, wl_vocabulary_learned *learned, wl_error *error)
{
    wl_error unused;
    reading this = {.error = error ? error : &unused};
    wl_word_counts vocabulary = {0};
    wl_status status = read_options(&this, options);
    for (size_t i = 0; i < count && !status; i++) {
        if (wl_same_target(paths[i], path))
            status = wl_fail_at(this.error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                                "is a file that is read, and would be written over");
        else
            status = count_file(&this, paths[i]);
    }
    if (!status && !this.words.count) status = wl_fail(this.error, WL_ERROR_FORMAT, "the texts hold no word");
    if (!status) status = choose(&this, &vocabulary);
    if (!status) status = save(&this, &vocabulary, path);
    if (!status && learned) *learned = this.learned;
    wl_word_counts_free(&vocabulary);
    wl_word_counts_free(&this.words);
    wl_string_free(&this.string);
    wl_normalize_scratch_free(&this.normalize);
    wl_pretokenize_scratch_free(&this.pretokenize);
    free(this.pieces.ranges);
    wl_buffer_free(&this.sides.bytes);
    free(this.sides.ends);
    return status;
}
