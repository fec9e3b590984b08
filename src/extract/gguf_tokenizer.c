/* Each kind of tokenizer is a function that writes what comes behind the added tokens: normalizer, pre_tokenizer,
 * post_processor, decoder and model, as the models' own tokenizer.json have them. What a GGUF does not say is either
 * llama.cpp's rule for the kind (which special tokens go around a text) or seen in the vocabulary (whether BERT's has
 * upper case). */
#include "extract/gguf_tokenizer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "extract/gguf_pretokenizers.h"
#include "extract/gguf_vocabulary.h"

#define MARK "\xE2\x96\x81" /* U+2581, a space in SentencePiece's pieces */

/* What special tokens do. WL_NO_ID: there is no such token. */
typedef struct specials {
    uint32_t begin, end, separator, unknown, mask;
    bool add_begin, add_end, add_separator;
} specials;

typedef struct task {
    const wl_gguf *gguf;
    wl_gguf_vocabulary vocabulary;
    specials specials;
    bool prefix;                              /* a space is put in front of a text */
    const wl_gguf_pretokenizer *pretokenizer; /* of byte-level BPE */
    wl_json_writer json;
} task;

/* A kind of tokenizer, and what holds where a file's keys are silent. */
typedef struct kind {
    const char *name;
    void (*write)(task *work);
    specials specials;
    bool prefix;
} kind;

static void write_piece(task *work, uint32_t id)
{
    wl_json_write_string(&work->json, wl_gguf_piece(&work->vocabulary, id));
}

/* ---- special tokens ---------------------------------------------------------------------------------------------- */

/* An id beyond the vocabulary does not count, as llama.cpp has it. */
static wl_status read_id(const task *work, const char *key, uint32_t *id, wl_error *error)
{
    uint64_t given = *id;
    if (wl_gguf_unsigned(work->gguf, key, &given, error)) return error->code;
    if (given < work->vocabulary.count) *id = (uint32_t)given;
    if (*id >= work->vocabulary.count) *id = WL_NO_ID;
    return WL_OK;
}

static wl_status read_specials(task *work, wl_error *error)
{
    specials *found = &work->specials;
    if (read_id(work, "tokenizer.ggml.cls_token_id", &found->begin, error) || /* what older files call it */
        read_id(work, "tokenizer.ggml.bos_token_id", &found->begin, error) ||
        read_id(work, "tokenizer.ggml.eos_token_id", &found->end, error) ||
        read_id(work, "tokenizer.ggml.seperator_token_id", &found->separator, error) ||
        read_id(work, "tokenizer.ggml.unknown_token_id", &found->unknown, error) ||
        read_id(work, "tokenizer.ggml.mask_token_id", &found->mask, error) ||
        wl_gguf_boolean(work->gguf, "tokenizer.ggml.add_bos_token", &found->add_begin, error) ||
        wl_gguf_boolean(work->gguf, "tokenizer.ggml.add_eos_token", &found->add_end, error) ||
        wl_gguf_boolean(work->gguf, "tokenizer.ggml.add_sep_token", &found->add_separator, error))
        return error->code;
    if (found->begin == WL_NO_ID) found->add_begin = false;
    if (found->end == WL_NO_ID) found->add_end = false;
    if (found->separator == WL_NO_ID) found->add_separator = false;
    return WL_OK;
}

/* lstrip: the models with a mask other than BERT's let it take the space in front. normalized: it is searched for in
 * the text that the normalizer gives. */
static void write_added(task *work, bool mask_strips, bool normalized)
{
    bool first = true;
    wl_json_write(&work->json, "\"added_tokens\":[");
    for (uint32_t id = 0; id < work->vocabulary.count; id++) {
        unsigned char is = work->vocabulary.kinds[id];
        if (is != WL_GGUF_UNKNOWN && is != WL_GGUF_CONTROL && is != WL_GGUF_USER_DEFINED) continue;
        bool special = is != WL_GGUF_USER_DEFINED;
        wl_json_write(&work->json, "%s{\"id\":%" PRIu32 ",\"content\":", first ? "" : ",", id);
        write_piece(work, id);
        wl_json_write(&work->json,
                      ",\"single_word\":false,\"lstrip\":%s,\"rstrip\":false,\"normalized\":%s,\"special\":%s}",
                      mask_strips && id == work->specials.mask ? "true" : "false",
                      normalized && !special ? "true" : "false", special ? "true" : "false");
        first = false;
    }
    wl_json_write(&work->json, "],");
}

/* One part of a template: a token, or a text where sequence is not 0. */
static void write_part(task *work, bool *first, uint32_t id, char sequence, int type)
{
    if (!sequence && id == WL_NO_ID) return;
    wl_json_write(&work->json, "%s{\"%s\":{\"id\":", *first ? "" : ",", sequence ? "Sequence" : "SpecialToken");
    if (sequence)
        wl_json_write(&work->json, "\"%c\"", sequence);
    else
        write_piece(work, id);
    wl_json_write(&work->json, ",\"type_id\":%d}}", type);
    *first = false;
}

static void write_template(task *work, uint32_t begin, uint32_t middle, uint32_t end)
{
    const uint32_t ids[] = {begin, end, middle};
    bool first = true, first_id = true;
    wl_json_write(&work->json, "{\"type\":\"TemplateProcessing\",\"single\":[");
    write_part(work, &first, begin, 0, 0);
    write_part(work, &first, 0, 'A', 0);
    write_part(work, &first, end, 0, 0);
    wl_json_write(&work->json, "],\"pair\":[");
    first = true;
    write_part(work, &first, begin, 0, 0);
    write_part(work, &first, 0, 'A', 0);
    write_part(work, &first, end, 0, 0);
    write_part(work, &first, middle, 0, 1);
    write_part(work, &first, 0, 'B', 1);
    write_part(work, &first, end, 0, 1);
    wl_json_write(&work->json, "],\"special_tokens\":{");
    for (size_t i = 0; i < 3; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++) again |= ids[j] == ids[i];
        if (ids[i] == WL_NO_ID || again) continue;
        if (!first_id) wl_json_write(&work->json, ",");
        write_piece(work, ids[i]);
        wl_json_write(&work->json, ":{\"id\":");
        write_piece(work, ids[i]);
        wl_json_write(&work->json, ",\"ids\":[%" PRIu32 "],\"tokens\":[", ids[i]);
        write_piece(work, ids[i]);
        wl_json_write(&work->json, "]}");
        first_id = false;
    }
    wl_json_write(&work->json, "}}");
}

/* The post-processor. bytes: in front of the template stands one for byte-level BPE. */
static void write_post(task *work, bool bytes)
{
    const specials *has = &work->specials;
    uint32_t begin = has->add_begin ? has->begin : WL_NO_ID, end = has->add_end ? has->end : WL_NO_ID;
    uint32_t middle = has->add_separator ? has->separator : begin;
    bool empty = begin == WL_NO_ID && end == WL_NO_ID;
    wl_json_write(&work->json, "\"post_processor\":");
    if (bytes && !empty) wl_json_write(&work->json, "{\"type\":\"Sequence\",\"processors\":[");
    if (bytes)
        wl_json_write(&work->json,
                      "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":%s,\"use_regex\":true}%s",
                      work->pretokenizer->pairs ? "true" : "false", empty ? "" : ",");
    else if (empty)
        wl_json_write(&work->json, "null");
    if (!empty) write_template(work, begin, middle, end);
    if (bytes && !empty) wl_json_write(&work->json, "]}");
    wl_json_write(&work->json, ",");
}

/* ---- vocabularies ------------------------------------------------------------------------------------------------ */

static void write_vocabulary(task *work)
{
    wl_json_write(&work->json, "\"vocab\":{");
    for (uint32_t id = 0; id < work->vocabulary.count && !work->json.status; id++) {
        if (id) wl_json_write(&work->json, ",");
        write_piece(work, id);
        wl_json_write(&work->json, ":%" PRIu32, id);
        wl_gguf_check_size(&work->json);
    }
    wl_json_write(&work->json, "}");
}

static bool has_bytes(const wl_gguf_vocabulary *vocabulary)
{
    return memchr(vocabulary->kinds, WL_GGUF_BYTE, vocabulary->count);
}

static void write_unknown(task *work)
{
    wl_json_write(&work->json, "\"unk_token\":");
    if (work->specials.unknown == WL_NO_ID)
        wl_json_write(&work->json, "null");
    else
        write_piece(work, work->specials.unknown);
    wl_json_write(&work->json, ",");
}

static void read_vocabulary(task *work, wl_gguf_spell spell)
{
    work->json.status = wl_gguf_vocabulary_read(&work->vocabulary, work->gguf, spell, work->json.error);
    if (!work->json.status) work->json.status = read_specials(work, work->json.error);
}

/* ---- byte-level BPE ---------------------------------------------------------------------------------------------- */

static wl_status find_pretokenizer(task *work, wl_error *error)
{
    wl_buffer name = {0};
    wl_status status = wl_gguf_string(work->gguf, "tokenizer.ggml.pre", &name, error);
    if (!status) work->pretokenizer = wl_gguf_pretokenizer_find((wl_text){name.data, name.size});
    if (!status && !work->pretokenizer)
        status =
            wl_fail_at(error, WL_ERROR_UNSUPPORTED, work->gguf->reader->name, WL_NO_POSITION, 0,
                       name.data ? "its tokenizer cuts text as \"%.*s\" does (tokenizer.ggml.pre), which is not known"
                                 : "its tokenizer does not say how it cuts text (tokenizer.ggml.pre)%.*s",
                       (int)(name.size < 60 ? name.size : 60), name.data ? name.data : "");
    wl_buffer_free(&name);
    return status;
}

static void write_byte_level(task *work)
{
    wl_json_writer *json = &work->json;
    json->status = find_pretokenizer(work, json->error);
    if (json->status) return;
    work->specials.add_begin = work->pretokenizer->begin;
    work->specials.add_separator = work->pretokenizer->pairs;
    read_vocabulary(work, NULL);
    if (json->status) return;
    write_added(work, true, false);
    wl_json_write(json,
                  "\"normalizer\":%s,\"pre_tokenizer\":", work->pretokenizer->nfc ? "{\"type\":\"NFC\"}" : "null");
    wl_gguf_pretokenizer_write(work->pretokenizer, json);
    wl_json_write(json, ",");
    write_post(work, true);
    wl_json_write(json, "\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,"
                        "\"use_regex\":true},\"model\":{\"type\":\"BPE\",\"dropout\":null,");
    write_unknown(work);
    wl_json_write(json,
                  "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,"
                  "\"byte_fallback\":false,\"ignore_merges\":%s,",
                  work->pretokenizer->ignore_merges ? "true" : "false");
    write_vocabulary(work);
    wl_json_write(json, ",\"merges\":");
    wl_gguf_write_merges(&work->vocabulary, work->gguf, json);
    wl_json_write(json, "}");
}

/* ---- SentencePiece ----------------------------------------------------------------------------------------------- */

/* llama.cpp's converter writes the mark as a space in what users define; no other piece has a space. */
static wl_status spell_user_defined(wl_buffer *piece, unsigned char is, wl_error *error)
{
    wl_buffer spelled = {0};
    wl_status status = WL_OK;
    if (is != WL_GGUF_USER_DEFINED || !memchr(piece->data, ' ', piece->size)) return WL_OK;
    for (size_t i = 0; i < piece->size && !status; i++) {
        bool space = piece->data[i] == ' ';
        status = wl_buffer_append(&spelled, space ? MARK : piece->data + i, space ? 3 : 1, error);
    }
    if (status) {
        wl_buffer_free(&spelled);
        return status;
    }
    wl_buffer_free(piece);
    *piece = spelled;
    return WL_OK;
}

/* Without a prefix, what users define is searched for in the text with marks, where SentencePiece looks for it. With
 * one, the normalizer would put it in front of each token, too. */
static void write_sentencepiece(task *work)
{
    wl_json_writer *json = &work->json;
    read_vocabulary(work, work->prefix ? NULL : spell_user_defined);
    if (json->status) return;
    write_added(work, false, !work->prefix);
    wl_json_write(json,
                  "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[%s"
                  "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" MARK "\"}]},"
                  "\"pre_tokenizer\":null,",
                  work->prefix ? "{\"type\":\"Prepend\",\"prepend\":\"" MARK "\"}," : "");
    write_post(work, false);
    wl_json_write(json,
                  "\"decoder\":{\"type\":\"Sequence\",\"decoders\":["
                  "{\"type\":\"Replace\",\"pattern\":{\"String\":\"" MARK "\"},\"content\":\" \"},"
                  "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}%s]},\"model\":{\"type\":\"BPE\",\"dropout\":null,",
                  work->prefix ? ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}" : "");
    write_unknown(work);
    wl_json_write(json,
                  "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":true,"
                  "\"byte_fallback\":%s,\"ignore_merges\":false,",
                  has_bytes(&work->vocabulary) ? "true" : "false");
    write_vocabulary(work);
    wl_json_write(json, ",\"merges\":");
    wl_gguf_write_merges(&work->vocabulary, work->gguf, json);
    wl_json_write(json, "}");
}

/* ---- Unigram ----------------------------------------------------------------------------------------------------- */

static void write_base64(wl_json_writer *json, const unsigned char *bytes, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits = (uint32_t)bytes[i] << 16;
        if (left > 1) bits |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2) bits |= bytes[i + 2];
        wl_json_write(json, "%c%c%c%c", alphabet[bits >> 18], alphabet[bits >> 12 & 63],
                      left > 1 ? alphabet[bits >> 6 & 63] : '=', left > 2 ? alphabet[bits & 63] : '=');
    }
}

/* The table of a normalizer, which SentencePiece's library made; null where there is none. */
static void write_charsmap(task *work)
{
    wl_json_writer *json = &work->json;
    wl_gguf_walk walk;
    if (!json->status)
        json->status = wl_gguf_array(work->gguf, "tokenizer.ggml.precompiled_charsmap", &walk, json->error);
    if (json->status) return;
    if (walk.left && (walk.value->type > WL_GGUF_I8 || walk.left > WL_GGUF_JSON_MOST / 2)) {
        json->status =
            wl_fail_at(json->error, WL_ERROR_UNSUPPORTED, work->gguf->reader->name, walk.at, 0,
                       "the characters' table of its tokenizer has %" PRIu64 " elements of type %d, expected "
                       "at most %zu bytes",
                       walk.left, (int)walk.value->type, WL_GGUF_JSON_MOST / 2);
        return;
    }
    if (!walk.left) {
        wl_json_write(json, "\"normalizer\":null,");
        return;
    }
    size_t size = (size_t)walk.left;
    unsigned char *bytes = wl_allocate(size, 1, json->error);
    if (!bytes) {
        json->status = WL_ERROR_MEMORY;
        return;
    }
    for (size_t i = 0; i < size && !json->status; i++) {
        double number = 0;
        json->status = wl_gguf_next_number(&walk, &number, json->error);
        bytes[i] = (unsigned char)(int)number;
    }
    wl_json_write(json, "\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"");
    if (!json->status) write_base64(json, bytes, size);
    wl_json_write(json, "\"},");
    free(bytes);
}

/* [["piece", score], ...]. What is not normal has no score of its own in the file; it gets the lowest, which changes
 * neither what is chosen nor the score of the unknown, which depends on the lowest. */
static void write_scored(task *work)
{
    const wl_gguf_vocabulary *vocabulary = &work->vocabulary;
    double lowest = 0;
    for (uint32_t id = 0; id < vocabulary->count; id++)
        if (vocabulary->kinds[id] == WL_GGUF_NORMAL && vocabulary->scores[id] < lowest) lowest = vocabulary->scores[id];
    wl_json_write(&work->json, "\"vocab\":[");
    for (uint32_t id = 0; id < vocabulary->count && !work->json.status; id++) {
        wl_json_write(&work->json, id ? ",[" : "[");
        write_piece(work, id);
        wl_json_write(&work->json, ",");
        wl_json_write_number(&work->json, vocabulary->kinds[id] == WL_GGUF_NORMAL ? vocabulary->scores[id] : lowest);
        wl_json_write(&work->json, "]");
        wl_gguf_check_size(&work->json);
    }
    wl_json_write(&work->json, "]");
}

static void write_unigram(task *work)
{
    wl_json_writer *json = &work->json;
    bool trims = false;
    read_vocabulary(work, NULL);
    if (!json->status)
        json->status = wl_gguf_boolean(work->gguf, "tokenizer.ggml.remove_extra_whitespaces", &trims, json->error);
    if (!json->status && !work->vocabulary.scores)
        json->status = wl_fail_at(json->error, WL_ERROR_UNSUPPORTED, work->gguf->reader->name, WL_NO_POSITION, 0,
                                  "its tokenizer has no scores");
    if (json->status) return;
    const char *scheme = work->prefix ? "always" : "never";
    write_added(work, true, false);
    write_charsmap(work);
    wl_json_write(json,
                  "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[%s{\"type\":\"Metaspace\","
                  "\"replacement\":\"" MARK "\",\"prepend_scheme\":\"%s\",\"split\":true}]},",
                  trims ? "{\"type\":\"WhitespaceSplit\"}," : "", scheme);
    write_post(work, false);
    wl_json_write(json,
                  "\"decoder\":{\"type\":\"Metaspace\",\"replacement\":\"" MARK "\",\"prepend_scheme\":\"%s\","
                  "\"split\":true},\"model\":{\"type\":\"Unigram\",\"unk_id\":",
                  scheme);
    if (work->specials.unknown == WL_NO_ID)
        wl_json_write(json, "null");
    else
        wl_json_write(json, "%" PRIu32, work->specials.unknown);
    wl_json_write(json, ",\"byte_fallback\":%s,", has_bytes(&work->vocabulary) ? "true" : "false");
    write_scored(work);
    wl_json_write(json, "}");
}

/* ---- WordPiece --------------------------------------------------------------------------------------------------- */

/* "[CLS]", "[unused1]" */
static bool is_bracketed(wl_text piece)
{
    return piece.size > 1 && piece.data[0] == '[' && piece.data[piece.size - 1] == ']';
}

/* A GGUF has a mark in front of what begins a word, and nothing in front of what continues it. */
static wl_status spell_wordpiece(wl_buffer *piece, unsigned char is, wl_error *error)
{
    if (is == WL_GGUF_CONTROL || is_bracketed((wl_text){piece->data, piece->size})) return WL_OK;
    if (piece->size >= 3 && memcmp(piece->data, MARK, 3) == 0) {
        piece->size -= 3;
        memmove(piece->data, piece->data + 3, piece->size);
        return WL_OK;
    }
    if (wl_buffer_append(piece, "##", 2, error)) return error->code;
    memmove(piece->data + 2, piece->data, piece->size - 2);
    memcpy(piece->data, "##", 2);
    return WL_OK;
}

/* Whether the vocabulary has upper case to offer; brackets do not count. */
static bool has_upper_case(const wl_gguf_vocabulary *vocabulary)
{
    for (uint32_t id = 0; id < vocabulary->count; id++) {
        wl_text piece = wl_gguf_piece(vocabulary, id);
        if (vocabulary->kinds[id] != WL_GGUF_NORMAL || is_bracketed(piece)) continue;
        for (size_t i = 0; i < piece.size; i++)
            if (piece.data[i] >= 'A' && piece.data[i] <= 'Z') return true;
    }
    return false;
}

static void write_wordpiece(task *work)
{
    wl_json_writer *json = &work->json;
    read_vocabulary(work, spell_wordpiece);
    if (json->status) return;
    bool lower = !has_upper_case(&work->vocabulary), strip = lower;
    json->status = wl_gguf_boolean(work->gguf, "tokenizer.ggml.normalizer.lowercase", &lower, json->error);
    if (!json->status) {
        strip = lower;
        json->status = wl_gguf_boolean(work->gguf, "tokenizer.ggml.normalizer.strip_accents", &strip, json->error);
    }
    /* BERT ends a text with its separator. */
    work->specials.end = work->specials.separator;
    work->specials.add_end = work->specials.add_separator;
    work->specials.separator = WL_NO_ID;
    write_added(work, false, false);
    wl_json_write(json,
                  "\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
                  "\"strip_accents\":%s,\"lowercase\":%s},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},",
                  strip ? "true" : "false", lower ? "true" : "false");
    write_post(work, false);
    wl_json_write(json, "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true},"
                        "\"model\":{\"type\":\"WordPiece\",");
    write_unknown(work);
    wl_json_write(json, "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,");
    write_vocabulary(work);
    wl_json_write(json, "}");
}

/* ---- which kind -------------------------------------------------------------------------------------------------- */

#define NONE WL_NO_ID

/* begin, end, separator, unknown, mask, and whether the first three are added: as llama.cpp has it. */
static const kind kinds[] = {
    {"gpt2", write_byte_level, {NONE, NONE, NONE, NONE, NONE, false, false, false}, false},
    {"llama", write_sentencepiece, {1, 2, NONE, 0, NONE, true, false, false}, true},
    {"gemma4", write_sentencepiece, {NONE, NONE, NONE, NONE, NONE, false, false, false}, false},
    {"t5", write_unigram, {NONE, 1, NONE, 2, NONE, false, true, false}, false},
    {"bert", write_wordpiece, {101, NONE, 102, 100, 103, true, false, true}, false},
};

static wl_status find_kind(const wl_gguf *gguf, const kind **found, wl_error *error)
{
    wl_buffer name = {0};
    *found = NULL;
    wl_status status = wl_gguf_string(gguf, "tokenizer.ggml.model", &name, error);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !status && !*found; i++)
        if (strlen(kinds[i].name) == name.size && memcmp(kinds[i].name, name.data, name.size) == 0) *found = &kinds[i];
    if (!status && !*found)
        status = wl_fail_at(error, WL_ERROR_UNSUPPORTED, gguf->reader->name, WL_NO_POSITION, 0,
                            "its tokenizer is of the kind \"%.*s\" (tokenizer.ggml.model), which is not known",
                            (int)(name.size < 60 ? name.size : 60), name.data ? name.data : "");
    wl_buffer_free(&name);
    return status;
}

static wl_status write_tokenizer(const wl_gguf *gguf, wl_buffer *buffer, wl_error *error)
{
    const kind *found;
    if (find_kind(gguf, &found, error)) return error->code;
    task work = {.gguf = gguf, .specials = found->specials, .prefix = found->prefix, .json = {buffer, error, WL_OK}};
    work.json.status = wl_gguf_boolean(gguf, "tokenizer.ggml.add_space_prefix", &work.prefix, error);
    wl_json_write(&work.json, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,");
    if (!work.json.status) found->write(&work);
    wl_json_write(&work.json, "}");
    wl_gguf_vocabulary_free(&work.vocabulary);
    return work.json.status;
}

static wl_status check_tokenizer(const wl_gguf *gguf, wl_text json, wl_error *error)
{
    wl_error cause;
    wl_tokenizer *tokenizer = wl_tokenizer_parse(json.data, json.size, gguf->reader->name, &cause);
    wl_tokenizer_close(tokenizer);
    if (tokenizer) return WL_OK;
    return wl_fail_at(error, cause.code, gguf->reader->name, WL_NO_POSITION, 0, "its tokenizer cannot be used: %.440s",
                      cause.message);
}

bool wl_gguf_has_tokenizer(const wl_gguf *gguf)
{
    return wl_gguf_find(gguf, "tokenizer.huggingface.json") || wl_gguf_find(gguf, "tokenizer.ggml.model");
}

wl_status wl_gguf_tokenizer(const wl_gguf *gguf, wl_buffer *json, wl_error *error)
{
    size_t begin = json->size;
    wl_status status = wl_gguf_string(gguf, "tokenizer.huggingface.json", json, error);
    if (!status && json->size == begin) status = write_tokenizer(gguf, json, error);
    if (!status) status = check_tokenizer(gguf, (wl_text){json->data + begin, json->size - begin}, error);
    return status;
}
