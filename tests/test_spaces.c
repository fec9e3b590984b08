/* The scanners of words between white space (scan_spaces.c, scan_bert.c) against the general way, which ranges take:
 * the same ids on random texts of what their proofs are about. The general way has the oracle's word in test_text and
 * test_parts. */
#include "test.h"
#include "text/tokenizer.h"
#include "texts.h"

static const char *const atoms[] = {
    " ",
    " ",
    " ",
    " ",
    "  ",
    "   ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    " \n ",
    "\v",
    "\f",
    "\x1F",
    "\x7F",
    "\x01",
    "a",
    "b",
    "c",
    "ab",
    "abc",
    "A",
    "B",
    "0",
    "12",
    "'",
    "''",
    "`",
    "``",
    "\"",
    ".",
    ",",
    "-",
    "<",
    "<mask>",
    "<m",
    "\xC2\xA0",
    "\xC2\x85",
    "\xC2\xA8",
    "\xC2\xAD",
    "\xC3\xA9",
    "\xC3\x85",
    "\xC4\xB0",
    "\xCD\xBA", /* nbsp ... ͺ */
    "\xCC\x81",
    "\xCC\xA3",
    "\xCC\xA7",
    "\xCD\x9C", /* marks of several combining classes */
    "\xD8\x80",
    "\xDB\x9D", /* Grapheme_Cluster_Break=Prepend */
    "\xE0\xA4\x95",
    "\xE0\xA4\xBF",
    "\xE0\xA5\x8D",
    "\xE0\xB8\xB3",
    "\xE1\x84\x80",
    "\xE1\x85\xA1",
    "\xE1\x9A\x80",
    "\xE2\x80\x83",
    "\xE2\x80\x8B",
    "\xE2\x80\x8D",
    "\xE2\x80\xA8",
    "\xE2\x96\x81",
    "\xE2\x96\x81\x61",
    "\xE2\x89\xA0",
    "\xE3\x80\x80",
    "\xE3\x80\x82",
    "\xE3\x80\xAE",
    "\xE3\x81\x8B",
    "\xE3\x82\x99",
    "\xE4\xB7\x80",
    "\xE4\xB8\x81",
    "\xE4\xBD\xA0",
    "\xE5\xA5\xBD",
    "\xE6\xB1\x89",
    "\xEA\xB0\x80",
    "\xEF\xA4\x80",
    "\xEF\xBB\xBF",
    "\xEF\xBC\x8C",
    "\xEF\xBC\x9C",
    "\xEF\xBC\x9Cmask>",
    "\xEF\xBF\xBD",
    "\xF0\x9F\x91\xA8",
    "\xF0\x9F\x87\xA9",
    "\xF0\xA0\x80\x80",
    "aaaaaaaaaaaaaaaaaaaaaaaa",
    "abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabc",
    "The quick brown fox, it jumps over 13 lazy dogs and then (once more) over 12 cats.",
};

#define COLLAPSE   "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}"
#define STEPS(...) "{\"type\":\"Sequence\",\"normalizers\":[" __VA_ARGS__ "]}"
#define METASPACE(scheme)                                                                                              \
    "{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\",\"prepend_scheme\":\"" scheme "\",\"split\":true}"
#define CUTS(first, second) "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"" first "\"}," second "]}"
#define BERT(options)                                                                                                  \
    "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null," options "}"

static const char *const quotes = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"''\"},\"content\":\"\\\"\"}";

static const char *const unigram = "{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"\xE2\x96\x81\",-2],"
                                   "[\"\xE2\x96\x81"
                                   "a\",-2.5],[\"a\",-3],[\"b\",-3.5],[\"ab\",-4],[\"c\",-4.5],"
                                   "[\"abc\",-5],[\"\\\"\",-6],[\"\xE2\x96\x81The\",-4],[\"'\",-7],[\"e\",-4.25],"
                                   "[\"\xE4\xBD\xA0\xE5\xA5\xBD\",-6.5],[\"\xC3\xA9\",-5.5],[\"<\",-8],[\"A\",-8],"
                                   "[\"\xE2\x96\x81\xE2\x96\x81\",-3],[\".\",-5]]}";
static const char *const wordpiece =
    "{\"type\":\"WordPiece\",\"unk_token\":\"u\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,"
    "\"vocab\":{\"u\":0,\"a\":1,\"##a\":2,\"b\":3,\"##b\":4,\"##c\":5,\"abc\":6,\".\":7,\"'\":8,\"\xE4\xBD\xA0\":9,"
    "\"\xE5\xA5\xBD\":10,\"\xE3\x80\x82\":11,\"the\":12,\"\xCC\xA3\":13,\"\xCC\x81\":14,\"##\xCC\x81\":15,"
    "\"##\xCC\xA3\":16,\"\xE3\x80\xAE\":17,\"##\xE3\x80\xAE\":18,\"##e\":19,\",\":20,\"<\":21,\"mask\":22,\">\":23}}";

static wl_tokenizer *make(const char *normalizer, const char *cuts, const char *model, bool token)
{
    static char json[1 << 16];
    wl_error error = {0};
    int size =
        snprintf(json, sizeof json,
                 "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[%s],\"normalizer\":%s,"
                 "\"pre_tokenizer\":%s,\"post_processor\":null,\"decoder\":null,\"model\":%s}",
                 token ? "{\"id\":99,\"content\":\"<mask>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                         "\"normalized\":true,\"special\":true}"
                       : "",
                 normalizer, cuts, model);
    wl_tokenizer *made =
        size > 0 && (size_t)size < sizeof json ? wl_tokenizer_parse(json, (size_t)size, "made", &error) : NULL;
    CHECK_THAT(made, "%s: %s", normalizer, error.message);
    return made;
}

/* Of charsmap() in tools/golden_normalizers.py: tab, line feed, carriage return, U+00A0, U+3000 and U+200B become a
 * space, U+FF1C "<", U+200D and U+0301 nothing, U+00A8 " \u0308", "e\u0301" U+00E9, U+00E9 "e ", U+2581 "\u2581a",
 * U+0600 "ab", U+4E01 nothing, " \u0327" "ca", U+06DD "c ", U+4F60 "a", U+AC00 " ab". */
static const char *const precompiled =
    "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\""
    "AAQAAAAEAAAAAACAAgAAgAQAAIAGAACADwAAgAgAAIAKAACACSUAAAwAAIAOAACACiUAAA09AAAaAACAEwAAgBYAAIAZAACAHwAAgCIAAIApAA"
    "CAIwAAgCYAAIArAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACCIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABlmAEAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAgTUCAIAMAgCAEQIAgAgCAIFRAgCBLQIAgF0CAIFVAgCAeQIAAAAAAIsNAgAAAAAAjRkCAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAllACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJ0lAgCcaQIAAAAAAAAAAAAAAAAAoJUCAKDFAgAAAAAA"
    "AAAAAAAAAACnyQIAAAAAAKmdAgCosQIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALDkAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAuPwCAAAAAAAAAAAAvfgCALzwAgAAAAAAAAAAAAAAAAAAAAAAwwwDAMIIAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADM"
    "IAMAzCgDAMw4AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADYfAMA22wDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "DjjAMA4oADAAAAAADkkAMAAAAAAAAAAAAAAAAAAAAAAAAAAADqqAMAAAAAAAAAAADvvAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgACAAIAAgACAAPAAgAAAgzIgAw6kAZSAAAOKWgWEAYWIAAGNhAGMgAGEAIG"
    "FiAA=="
    "\"}";

static void check(const char *normalizer, const char *cuts, const char *model, wl_scanner scanner, wl_context *context)
{
    enum { TEXTS = 4000, LONGEST = 40 };
    texts_random random = {.state = 7};
    texts_encoded general = {0}, plain = {0};
    wl_error error = {0};
    wl_buffer text = {0};
    for (int token = 0; token < 2; token++) {
        wl_tokenizer *tokenizer = make(normalizer, cuts, model, token);
        if (!tokenizer) continue;
        bool bert = token && scanner == WL_SCAN_BERT;
        CHECK_THAT(tokenizer->scanner == (bert ? WL_SCAN_SPACES : scanner), "%s %s", normalizer, cuts);
        for (size_t n = 0; n < TEXTS; n++) {
            text.size = 0;
            for (size_t left = texts_below(&random, LONGEST); left; left--) {
                const char *atom = atoms[texts_below(&random, sizeof atoms / sizeof *atoms)];
                CHECK(!wl_buffer_append(&text, atom, strlen(atom), &error));
            }
            wl_text given = {text.data, text.size};
            CHECK(!texts_encode(tokenizer, context, given, NULL, true, &general, &error));
            for (int again = 0; again < 2; again++) {
                CHECK(!texts_encode(tokenizer, context, given, NULL, false, &plain, &error));
                CHECK_THAT(texts_same_ids(&general, &plain), "%s %s text %zu: %.*s", normalizer, cuts, n,
                           (int)text.size, text.data);
            }
        }
        wl_tokenizer_close(tokenizer);
    }
    texts_encoded_free(&general);
    texts_encoded_free(&plain);
    wl_buffer_free(&text);
}

int main(void)
{
    static char steps[1 << 14];
    const wl_context_options options = {.size = sizeof options, .threads = 1};
    wl_context *context = wl_context_create(&options, NULL);
    CHECK(context);
    static const char *const cuts[] = {CUTS("WhitespaceSplit", METASPACE("always")),
                                       CUTS("WhitespaceSplit", METASPACE("never")), METASPACE("always"),
                                       CUTS("Whitespace", METASPACE("always"))};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        check(STEPS(COLLAPSE), cuts[i], unigram, WL_SCAN_SPACES, context);
        check(STEPS("{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true},{\"type\":\"Nmt\"}," COLLAPSE),
              cuts[i], unigram, WL_SCAN_SPACES, context);
        snprintf(steps, sizeof steps,
                 STEPS("%s,{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"}," COLLAPSE),
                 quotes);
        check(steps, cuts[i], unigram, WL_SCAN_SPACES, context);
        snprintf(steps, sizeof steps, STEPS("%s," COLLAPSE), precompiled);
        check(steps, cuts[i], unigram, WL_SCAN_SPACES, context);
        snprintf(steps, sizeof steps,
                 STEPS("{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true},%s," COLLAPSE), precompiled);
        check(steps, cuts[i], unigram, WL_SCAN_SPACES, context);
    }
    check("null", METASPACE("always"), unigram, WL_SCAN_GENERAL, context);
    check("null", CUTS("WhitespaceSplit", METASPACE("first")), unigram, WL_SCAN_GENERAL, context);
    check("{\"type\":\"Prepend\",\"prepend\":\"a\"}", cuts[0], unigram, WL_SCAN_GENERAL, context);
    check("{\"type\":\"Replace\",\"pattern\":{\"String\":\"a b\"},\"content\":\"c\"}", cuts[0], unigram,
          WL_SCAN_GENERAL, context);
    static const char *const berts[] = {
        BERT("\"lowercase\":true"), BERT("\"lowercase\":false"),
        "{\"type\":\"BertNormalizer\",\"clean_text\":false,\"handle_chinese_chars\":false,\"strip_accents\":true,"
        "\"lowercase\":false}",
        "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":false,\"strip_accents\":false,"
        "\"lowercase\":true}"};
    for (size_t i = 0; i < sizeof berts / sizeof *berts; i++)
        check(berts[i], "{\"type\":\"BertPreTokenizer\"}", wordpiece, WL_SCAN_BERT, context);
    wl_context_free(context);
    return test_end();
}
