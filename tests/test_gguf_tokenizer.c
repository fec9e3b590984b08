/* The tokenizer of a GGUF as a tokenizer.json: ids against the tokenizers and SentencePiece models behind the files
 * (golden/gguf, tools/golden_gguf.py), and what is refused. */
#include "fault.h"
#include "test.h"

#include <locale.h>
#include <math.h>

#include "extract/gguf_tokenizer.h"
#include "format/json_write.h"
#include "gguf.h"
#include "texts.h"

#define GOLDEN WL_TEST_DATA "/golden/gguf"

/* The tokenizer.json of a file in memory. */
static wl_status make_json(const void *data, size_t size, wl_buffer *json, wl_error *error)
{
    wl_gguf gguf;
    wl_tensors tensors = {0};
    wl_reader reader = gguf_reader(data, size);
    wl_status status = wl_gguf_open(&gguf, &reader, &tensors, error);
    json->size = 0;
    if (!status) {
        CHECK(wl_gguf_has_tokenizer(&gguf));
        status = wl_gguf_tokenizer(&gguf, json, error);
    }
    wl_gguf_close(&gguf);
    wl_tensors_free(&tensors);
    wl_reader_close(&reader);
    return status;
}

static wl_tokenizer *make_tokenizer(const wl_buffer *file, wl_buffer *json, wl_error *error)
{
    if (make_json(file->data, file->size, json, error)) return NULL;
    return wl_tokenizer_parse(json->data, json->size, "json", error);
}

/* ---- golden files ------------------------------------------------------------------------------------------------ */

enum { IDS = 400 };

static void read_ids(wl_json *json, uint32_t ids[IDS], size_t *count)
{
    *count = 0;
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        uint32_t id = (uint32_t)wl_json_unsigned(json, UINT32_MAX);
        if (*count < IDS) ids[(*count)++] = id;
    }
}

static void check_ids(const wl_tokenizer *tokenizer, wl_context *context, const char *file, wl_text text,
                      const uint32_t *expected, size_t count, bool special)
{
    uint32_t ids[IDS];
    size_t found = 0;
    wl_error error;
    wl_encode_options options = {.size = sizeof options, .special_tokens = special};
    wl_status status = wl_encode(tokenizer, context, text, &options, ids, NULL, IDS, &found, &error);
    CHECK_THAT(status == WL_OK && found == count && (!count || memcmp(ids, expected, count * sizeof *ids) == 0),
               "%s: \"%.*s\"%s", file, (int)text.size, text.data, special ? " with special tokens" : "");
}

static void check_line(wl_text line, char file[64], wl_tokenizer **tokenizer, wl_context *context)
{
    wl_json json;
    wl_error error;
    wl_text key;
    wl_buffer scratch = {0}, text = {0}, made = {0}, bytes = {0};
    uint32_t plain[IDS], special[IDS];
    size_t plain_count = 0, special_count = 0;
    char name[64] = "", path[1024];
    wl_json_open(&json, line.data, line.size, "expected.jsonl", &scratch, &error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (wl_text_is(key, "file")) {
            wl_text value = wl_json_string(&json);
            snprintf(name, sizeof name, "%.*s", (int)value.size, value.data);
        } else if (wl_text_is(key, "text")) {
            wl_text value = wl_json_string(&json);
            put_bytes(&text, value.data, value.size);
        } else if (wl_text_is(key, "ids"))
            read_ids(&json, plain, &plain_count);
        else
            read_ids(&json, special, &special_count);
    }
    CHECK_THAT(wl_json_close(&json) == WL_OK, "%s", error.message);
    if (strcmp(name, file) != 0) {
        wl_tokenizer_close(*tokenizer);
        strcpy(file, name);
        snprintf(path, sizeof path, "%s/%s.gguf", GOLDEN, name);
        CHECK(texts_file(path, &bytes));
        *tokenizer = make_tokenizer(&bytes, &made, &error);
        CHECK_THAT(*tokenizer, "%s: %s", path, error.message);
    }
    if (*tokenizer) {
        wl_text value = {text.data, text.size};
        check_ids(*tokenizer, context, name, value, plain, plain_count, false);
        check_ids(*tokenizer, context, name, value, special, special_count, true);
    }
    wl_buffer_free(&scratch);
    wl_buffer_free(&text);
    wl_buffer_free(&made);
    wl_buffer_free(&bytes);
}

static void test_golden(void)
{
    wl_buffer lines = {0};
    wl_text line;
    wl_tokenizer *tokenizer = NULL;
    wl_context *context = wl_context_create(NULL, NULL);
    char file[64] = "";
    size_t count = 0;
    CHECK(texts_file(GOLDEN "/expected.jsonl", &lines) && context);
    for (size_t at = 0; texts_line(&lines, &at, &line); count++) check_line(line, file, &tokenizer, context);
    CHECK(count > 150);
    wl_tokenizer_close(tokenizer);
    wl_context_free(context);
    wl_buffer_free(&lines);
}

/* ---- small files ------------------------------------------------------------------------------------------------- */

/* A byte-level tokenizer of four pieces. pre: NULL: the key is not there. */
static void put_byte_level(wl_buffer *file, const char *pre)
{
    static const char *const pieces[] = {"a", "b", "ab", "<|end|>"}, *const merges[] = {"a b"};
    put_header(file, 3, 0, pre ? 5 : 4);
    put_text(file, "tokenizer.ggml.model", "gpt2");
    if (pre) put_text(file, "tokenizer.ggml.pre", pre);
    put_strings(file, "tokenizer.ggml.tokens", pieces, 4);
    put_strings(file, "tokenizer.ggml.merges", merges, 1);
    put_array(file, "tokenizer.ggml.token_type", WL_GGUF_I32, 4);
    for (int i = 0; i < 4; i++) put_number(file, i < 3 ? 1 : 3, 4);
}

static void test_pretokenizers(void)
{
    static const char *const names[] = {
        "default",
        "gpt-2",
        "phi-2",
        "jina-v2-es",
        "jina-v2-de",
        "exaone4",
        "jais",
        "trillion",
        "granite-docling",
        "mpt",
        "olmo",
        "modern-bert",
        "roberta-bpe",
        "jina-v2-code",
        "starcoder",
        "refact",
        "smollm",
        "codeshell",
        "exaone",
        "minerva-7b",
        "command-r",
        "falcon",
        "chameleon",
        "llama-bpe",
        "llama3",
        "llama-v3",
        "falcon3",
        "pixtral",
        "lfm2",
        "dbrx",
        "smaug-bpe",
        "chatglm-bpe",
        "glm4",
        "qwen2",
        "deepseek-r1-qwen",
        "megrez",
        "stablelm2",
        "hunyuan",
        "solar-open",
        "grok-2",
        "qwen35",
        "minicpm5",
        "gpt-4o",
        "llama4",
        "minimax-m2",
        "tiny_aya",
        "tekken",
        "youtu",
        "kimi-k2",
        "deepseek-v3",
        "hunyuan-dense",
        "deepseek-coder",
        "deepseek-llm",
        "bloom",
        "gpt3-finnish",
        "poro-chat",
        "viking",
        "superbpe",
        "bailingmoe",
        "llada-moe",
        "seed-coder",
    };
    wl_buffer file = {0}, json = {0};
    wl_context *context = wl_context_create(NULL, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        wl_error error;
        put_byte_level(&file, names[i]);
        wl_tokenizer *tokenizer = make_tokenizer(&file, &json, &error);
        CHECK_THAT(tokenizer, "%s: %s", names[i], error.message);
        static const uint32_t ids[] = {2, 3, 0};
        if (tokenizer) check_ids(tokenizer, context, names[i], (wl_text){"ab<|end|>a", 10}, ids, 3, false);
        wl_tokenizer_close(tokenizer);
    }
    wl_context_free(context);
    wl_buffer_free(&file);
    wl_buffer_free(&json);
}

static void refuse(wl_buffer *file, wl_status status, const char *message)
{
    wl_error error = {0};
    wl_buffer json = {0};
    wl_status found = make_json(file->data, file->size, &json, &error);
    CHECK_THAT(found == status && strstr(error.message, message) && strcmp(error.file, "memory") == 0, "%s: %s, %s",
               message, wl_status_name(found), error.message);
    wl_buffer_free(&json);
}

/* A tokenizer of a kind with the pieces, and with scores where they are given. */
static void put_pieces(wl_buffer *file, const char *model, const char *const *pieces, size_t count, const float *scores)
{
    put_header(file, 3, 0, scores ? 3 : 2);
    put_text(file, "tokenizer.ggml.model", model);
    put_strings(file, "tokenizer.ggml.tokens", pieces, count);
    if (!scores) return;
    put_array(file, "tokenizer.ggml.scores", WL_GGUF_F32, count);
    put_bytes(file, scores, count * sizeof *scores);
}

static void test_refusals(void)
{
    static const char *const pieces[] = {"<unk>", "a", "b", "a"}, *const broken[] = {"<unk>", "\xFF"};
    static const float scores[] = {0, -1, -2, -3};
    wl_buffer file = {0};
    put_byte_level(&file, "not-a-name");
    refuse(&file, WL_ERROR_UNSUPPORTED, "\"not-a-name\"");
    put_byte_level(&file, NULL);
    refuse(&file, WL_ERROR_UNSUPPORTED, "does not say how it cuts text");
    put_pieces(&file, "rwkv", pieces, 3, NULL);
    refuse(&file, WL_ERROR_UNSUPPORTED, "\"rwkv\"");
    put_pieces(&file, "llama", pieces, 3, NULL);
    refuse(&file, WL_ERROR_UNSUPPORTED, "neither merges nor scores");
    put_pieces(&file, "t5", pieces, 3, NULL);
    refuse(&file, WL_ERROR_UNSUPPORTED, "no scores");
    put_pieces(&file, "t5", pieces, 3, scores);
    file.data[16] = 4; /* one key more */
    put_array(&file, "tokenizer.ggml.precompiled_charsmap", WL_GGUF_F32, 1), put_number(&file, 0x7FC00000, 4);
    refuse(&file, WL_ERROR_UNSUPPORTED, "characters' table");
    put_pieces(&file, "llama", pieces, 0, NULL);
    refuse(&file, WL_ERROR_UNSUPPORTED, "0 pieces");
    put_pieces(&file, "llama", pieces, 4, scores);
    refuse(&file, WL_ERROR_FORMAT, "\"a\", stands twice");
    put_pieces(&file, "llama", broken, 2, scores);
    refuse(&file, WL_ERROR_FORMAT, "cannot be used");
    static const float wrong[] = {0, INFINITY};
    put_pieces(&file, "llama", pieces, 2, wrong);
    refuse(&file, WL_ERROR_FORMAT, "not finite");
    put_header(&file, 3, 0, 3);
    put_text(&file, "tokenizer.ggml.model", "llama");
    put_strings(&file, "tokenizer.ggml.tokens", pieces, 3);
    put_array(&file, "tokenizer.ggml.scores", WL_GGUF_F32, 2), put_bytes(&file, scores, 8);
    refuse(&file, WL_ERROR_FORMAT, "2 elements, expected one for each of 3");
    static char longest[1100];
    memset(longest, 'x', sizeof longest - 1);
    const char *const long_pieces[] = {"<unk>", longest};
    put_pieces(&file, "llama", long_pieces, 2, scores);
    refuse(&file, WL_ERROR_LIMIT, "1099 bytes");
    put_header(&file, 3, 0, 1), put_text(&file, "tokenizer.huggingface.json", "{}");
    refuse(&file, WL_ERROR_FORMAT, "cannot be used");
    put_header(&file, 3, 0, 1), put_text(&file, "tokenizer.ggml.model", "gpt2");
    refuse(&file, WL_ERROR_UNSUPPORTED, "does not say");
    static const char *const no_space[] = {"ab"}, *const strange[] = {"a c"};
    const char *const *const lists[] = {no_space, strange};
    static const char *const messages[] = {"no space", "cannot be used"};
    for (size_t i = 0; i < 2; i++) {
        put_header(&file, 3, 0, 4);
        put_text(&file, "tokenizer.ggml.model", "gpt2"), put_text(&file, "tokenizer.ggml.pre", "gpt-2");
        put_strings(&file, "tokenizer.ggml.tokens", pieces, 3),
            put_strings(&file, "tokenizer.ggml.merges", lists[i], 1);
        refuse(&file, WL_ERROR_FORMAT, messages[i]);
    }
    wl_buffer_free(&file);
}

/* What a file says as a whole is taken as it is. */
static void test_verbatim(void)
{
    static const char text[] = "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": 0}, \"unk_token\": \"a\"}}";
    wl_buffer file = {0}, json = {0};
    wl_error error;
    put_header(&file, 3, 0, 2);
    put_text(&file, "tokenizer.ggml.model", "rwkv");
    put_text(&file, "tokenizer.huggingface.json", text);
    CHECK_THAT(make_json(file.data, file.size, &json, &error) == WL_OK, "%s", error.message);
    CHECK(json.size == strlen(text) && memcmp(json.data, text, json.size) == 0);
    wl_buffer_free(&file);
    wl_buffer_free(&json);
}

static bool has_text(const wl_buffer *json, const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= json->size; i++)
        if (memcmp(json->data + i, text, length) == 0) return true;
    return false;
}

/* By the score of the whole, then its id, then the id of the left part; only normal pieces. */
static void test_merges(void)
{
    static const char *const pieces[] = {"<unk>", "abc", "a", "b", "c", "bc", "ab", "", "cc"};
    static const float scores[] = {0, -1, -5, -5, -5, -2, -1, -9, -1};
    wl_buffer file = {0}, json = {0};
    wl_error error;
    put_header(&file, 3, 0, 4);
    put_text(&file, "tokenizer.ggml.model", "llama");
    put_strings(&file, "tokenizer.ggml.tokens", pieces, 9);
    put_array(&file, "tokenizer.ggml.scores", WL_GGUF_F32, 9), put_bytes(&file, scores, sizeof scores);
    put_array(&file, "tokenizer.ggml.token_type", WL_GGUF_I32, 9);
    for (int i = 0; i < 9; i++) put_number(&file, i == 0 ? 2 : i == 8 ? 4 : 1, 4);
    CHECK_THAT(make_json(file.data, file.size, &json, &error) == WL_OK, "%s", error.message);
    CHECK(has_text(&json, "\"merges\":[[\"a\",\"bc\"],[\"ab\",\"c\"],[\"a\",\"b\"],[\"b\",\"c\"]]"));
    CHECK(has_text(&json, "\"unk_token\":\"<unk>\"") && has_text(&json, "\"byte_fallback\":false"));
    CHECK(has_text(&json, "\"[EMPTY_7]\":7") && has_text(&json, "\"Prepend\""));
    CHECK(has_text(&json, "{\"id\":8,\"content\":\"cc\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                          "\"normalized\":false,\"special\":false}"));
    wl_buffer_free(&file);
    wl_buffer_free(&json);
}

/* What BERT's vocabulary says of upper case, and what the keys say. */
static void test_wordpiece(void)
{
    static const char *const pieces[] = {"[UNK]", "\xE2\x96\x81the", "ing", "\xE2\x96\x81New", "[CLS]", "[unused1]"};
    wl_buffer file = {0}, json = {0};
    wl_error error;
    for (int keys = 0; keys < 4; keys++) {
        bool cased = keys & 1, said = keys & 2;
        put_header(&file, 3, 0, said ? 5 : 3);
        put_text(&file, "tokenizer.ggml.model", "bert");
        put_strings(&file, "tokenizer.ggml.tokens", pieces, cased ? 4 : 3);
        put_key(&file, "tokenizer.ggml.unknown_token_id", WL_GGUF_U32), put_number(&file, 0, 4);
        if (said) {
            put_key(&file, "tokenizer.ggml.normalizer.lowercase", WL_GGUF_BOOL), put_number(&file, cased, 1);
            put_key(&file, "tokenizer.ggml.normalizer.strip_accents", WL_GGUF_BOOL), put_number(&file, !cased, 1);
        }
        CHECK_THAT(make_json(file.data, file.size, &json, &error) == WL_OK, "%s", error.message);
        CHECK(has_text(&json, "\"the\":1,\"##ing\":2"));
        bool lower = said ? cased : !cased, strip = said ? !cased : lower;
        CHECK(has_text(&json, lower ? "\"lowercase\":true" : "\"lowercase\":false"));
        CHECK(has_text(&json, strip ? "\"strip_accents\":true" : "\"strip_accents\":false"));
    }
    put_pieces(&file, "bert", pieces, 6, NULL);
    refuse(&file, WL_ERROR_FORMAT, "cannot be used"); /* WordPiece needs an unknown token */
    wl_buffer_free(&file);
    wl_buffer_free(&json);
}

/* ---- the writer of JSON ------------------------------------------------------------------------------------------ */

static void test_writer(void)
{
    static const double numbers[] = {0, -1, 0.1, -20.36479949951172, 1e300, -4.9e-324, 1.0 / 3, -1e9};
    wl_buffer out = {0}, scratch = {0};
    wl_error error;
    wl_json_writer writer = {&out, &error, WL_OK};
    wl_json json;
    static const char text[] = "a\"b\\c\n\x1F\0\xE2\x96\x81\x7F";
    wl_json_write_string(&writer, (wl_text){text, sizeof text - 1});
    wl_json_write(&writer, "%s", "");
    CHECK(!writer.status && out.size == 2 + sizeof text - 1 + 1 + 1 + 3 * 5);
    wl_json_open(&json, out.data, out.size, "made", &scratch, &error);
    wl_text read = wl_json_string(&json);
    CHECK(read.size == sizeof text - 1 && memcmp(read.data, text, read.size) == 0 && !wl_json_close(&json));
    wl_buffer_free(&scratch);
    out.size = 0;
    bool comma = setlocale(LC_NUMERIC, "de_DE.UTF-8") || setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    if (!comma) SKIP("numbers in a locale with a decimal comma: there is none on this machine");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        wl_json_write_number(&writer, numbers[i]);
        wl_json_write(&writer, " ");
    }
    setlocale(LC_NUMERIC, "C");
    CHECK(out.size && !memchr(out.data, ',', out.size));
    put_bytes(&out, "", 1);
    char *at = out.data;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) CHECK(strtod(at, &at) == numbers[i]);
    CHECK(strstr(out.data, " 0.1 -20.36479949951172 ")); /* no more digits than needed */
    wl_buffer_free(&out);
}

static void test_faults(void)
{
    static const char *const names[] = {"gemma", "t5", "bert-base-uncased", "roberta-base"};
    if (!fault_available()) SKIP("allocation failures: linked without the wrappers");
    for (size_t i = 0; i < sizeof names / sizeof *names && fault_available(); i++) {
        char path[1024];
        wl_buffer file = {0};
        snprintf(path, sizeof path, "%s/%s.gguf", GOLDEN, names[i]);
        CHECK(texts_file(path, &file));
        for (size_t nth = 1;; nth++) {
            wl_error error;
            wl_gguf gguf;
            wl_tensors tensors = {0};
            wl_buffer json = {0};
            wl_reader reader = gguf_reader(file.data, file.size);
            wl_status status = wl_gguf_open(&gguf, &reader, &tensors, &error);
            CHECK(!status);
            fault_begin(nth);
            status = wl_gguf_tokenizer(&gguf, &json, &error);
            bool failed = fault_end();
            wl_buffer_free(&json);
            wl_gguf_close(&gguf);
            wl_reader_close(&reader);
            CHECK_THAT(status == (failed ? WL_ERROR_MEMORY : WL_OK), "%s, allocation %zu: %s", path, nth,
                       status ? error.message : "none");
            if (failed) continue;
            CHECK(nth > 30);
            break;
        }
        wl_buffer_free(&file);
    }
}

int main(void)
{
    test_golden();
    test_pretokenizers();
    test_refusals();
    test_verbatim();
    test_merges();
    test_wordpiece();
    test_writer();
    test_faults();
    return test_end();
}
