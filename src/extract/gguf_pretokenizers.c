#include "extract/gguf_pretokenizers.h"

#include <string.h>

/* The expressions stand as the models' own tokenizer.json have them; llama.cpp, which gave the names, has some of them
 * rewritten for its own engine. */

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define PREFIX       "[^\\r\\n\\p{L}\\p{N}]?"
#define UPPER        "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define LOWER        "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define SYMBOLS      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define SPACES       "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/* Words of upper before lower case; han: what else a letter is not; end: contractions behind a word. */
#define CASED(han, end) PREFIX UPPER han "]*" LOWER han "]+" end "|" PREFIX UPPER han "]+" LOWER han "]*" end

#define LLAMA3   CONTRACTIONS "|" PREFIX "\\p{L}+|\\p{N}{1,3}|" SYMBOLS SPACES
#define QWEN2    CONTRACTIONS "|" PREFIX "\\p{L}+|\\p{N}|" SYMBOLS SPACES
#define QWEN35   CONTRACTIONS "|" PREFIX "[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*" SPACES
#define MINICPM5 CONTRACTIONS "|" PREFIX "\\p{L}+|\\p{N}+|" SYMBOLS SPACES
#define O200K    CASED("", CONTRACTIONS "?") "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACES
#define YOUTU    CASED("", CONTRACTIONS "?") "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACES
#define TEKKEN   CASED("", "") "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACES
#define KIMI     "[\\p{Han}]+|" CASED("&&[^\\p{Han}]", CONTRACTIONS "?") "|\\p{N}{1,3}|" SYMBOLS SPACES
#define SEED                                                                                                           \
    CONTRACTIONS "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
#define BAILING                                                                                                        \
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]"         \
    "|\\s+(?!\\S)|\\s+"
#define DEEPSEEK3                                                                                                      \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"                  \
    "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
#define BLOOM " ?[^(\\s|[.,!?…。，、।۔،])]+"

/* Words of cased letters, as DeepSeek has them; what NFC would change is written by its number. */
static const char cased_letters[] =
    "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-Ⴥ"
    "Ꭰ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ"
    "Ὗ-\u1F7Dᾀ-ᾴᾶ-ᾼ\u1FBEῂ-ῄῆ-ῌῐ-\u1FD3ῖ-\u1FDBῠ-Ῥῲ-ῴῶ-ῼℂℇ"
    "ℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212A-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲ"
    "ⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓"
    "𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";

#define IDEOGRAPHS      "[一-龥぀-ゟ゠-ヿ]+"
#define WIDE_IDEOGRAPHS "[一-龥ࠀ-一가-퟿]+"
#define SPLIT(expression)                                                                                              \
    {                                                                                                                  \
        WL_GGUF_STEP_SPLIT, expression                                                                                 \
    }
#define STEP(kind)                                                                                                     \
    {                                                                                                                  \
        WL_GGUF_STEP_##kind, NULL                                                                                      \
    }

static const wl_gguf_pretokenizer pretokenizers[] = {
    {.names = {"default", "gpt-2", "phi-2", "gigachat", "a.x-4.0", "mellum", "jina-es", "jina-de", "jina-v2-es",
               "jina-v2-de", "exaone4"},
     .steps = {STEP(WORDS)}},
    {.names = {"jais", "trillion", "granite-docling"}, .steps = {STEP(WORDS)}},
    {.names = {"mpt", "olmo", "modern-bert"}, .nfc = true, .steps = {STEP(WORDS)}},
    {.names = {"roberta-bpe", "jina-v1-en", "jina-v2-code"}, .pairs = true, .steps = {STEP(WORDS)}},
    {.names = {"starcoder", "refact", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"},
     .steps = {STEP(DIGITS), STEP(WORDS)}},
    {.names = {"command-r"}, .nfc = true, .steps = {STEP(DIGITS), STEP(WORDS)}},
    {.names = {"falcon"}, .steps = {STEP(MARKS), STEP(WORDS), STEP(NUMBERS), SPLIT("[0-9][0-9][0-9]")}},
    {.names = {"chameleon"},
     .begin = true,
     .steps = {SPLIT("([\\t\\n]|    |  )"), STEP(DIGITS), STEP(PUNCTUATION), STEP(WORDS)}},
    {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
               "jina-v5-nano"},
     .ignore_merges = true,
     .begin = true,
     .steps = {SPLIT(LLAMA3), STEP(BYTES)}},
    {.names = {"dbrx", "smaug-bpe", "chatglm-bpe", "glm4"}, .steps = {SPLIT(LLAMA3), STEP(BYTES)}},
    {.names = {"qwen2", "deepseek-r1-qwen", "megrez", "kormo", "f2llmv2", "stablelm2"},
     .nfc = true,
     .steps = {SPLIT(QWEN2), STEP(BYTES)}},
    {.names = {"hunyuan", "solar-open", "grok-2"}, .steps = {SPLIT(QWEN2), STEP(BYTES)}},
    {.names = {"qwen35"}, .nfc = true, .steps = {SPLIT(QWEN35), STEP(BYTES)}},
    {.names = {"minicpm5"}, .ignore_merges = true, .steps = {SPLIT("\\p{N}{1,3}"), SPLIT(MINICPM5), STEP(BYTES)}},
    {.names = {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}, .steps = {SPLIT(O200K), STEP(BYTES)}},
    {.names = {"tiny_aya", "cohere2moe"}, .steps = {SPLIT("\\d{1,3}(?=(?:\\d{3})*\\b)"), SPLIT(O200K), STEP(BYTES)}},
    {.names = {"tekken"}, .ignore_merges = true, .begin = true, .steps = {SPLIT(TEKKEN), STEP(BYTES)}},
    {.names = {"youtu"},
     .ignore_merges = true,
     .steps = {SPLIT("[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" IDEOGRAPHS),
               SPLIT(YOUTU), STEP(BYTES)}},
    {.names = {"kimi-k2"}, .steps = {SPLIT(KIMI), STEP(BYTES)}},
    {.names = {"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"},
     .steps = {SPLIT("\\p{N}{1,3}"), SPLIT(IDEOGRAPHS), SPLIT(DEEPSEEK3), STEP(BYTES)}},
    {.names = {"deepseek-coder"},
     .steps = {SPLIT("[\r\n]"), SPLIT("\\s?\\p{L}+"), SPLIT("\\s?\\p{P}+"), SPLIT(WIDE_IDEOGRAPHS), STEP(DIGITS),
               STEP(BYTES)}},
    {.names = {"deepseek-llm"},
     .steps = {SPLIT("[\r\n]"), SPLIT(cased_letters), SPLIT("\\s?[!-/:-~！-／：-～‘-‟　-。]+"), SPLIT("\\s+$"),
               SPLIT(WIDE_IDEOGRAPHS), STEP(DIGITS), STEP(BYTES)}},
    {.names = {"bloom", "gpt3-finnish", "poro-chat"}, .steps = {SPLIT(BLOOM), STEP(BYTES)}},
    {.names = {"viking"}, .steps = {SPLIT(BLOOM), STEP(DIGITS), STEP(BYTES)}},
    {.names = {"superbpe"}, .steps = {SPLIT("\\p{N}+"), SPLIT("(?=(\\d{3})+(?!\\d))"), STEP(BYTES)}},
    {.names = {"bailingmoe", "bailingmoe2", "llada-moe"}, .steps = {SPLIT(BAILING), STEP(BYTES)}},
    {.names = {"seed-coder"}, .steps = {SPLIT(SEED), STEP(BYTES)}},
};

const wl_gguf_pretokenizer *wl_gguf_pretokenizer_find(wl_text name)
{
    for (size_t i = 0; i < sizeof pretokenizers / sizeof *pretokenizers; i++)
        for (const char *const *known = pretokenizers[i].names; *known; known++)
            if (strlen(*known) == name.size && memcmp(*known, name.data, name.size) == 0) return &pretokenizers[i];
    return NULL;
}

static const char *const steps[] = {
    [WL_GGUF_STEP_DIGITS] = "{\"type\":\"Digits\",\"individual_digits\":true}",
    [WL_GGUF_STEP_NUMBERS] = "{\"type\":\"Digits\",\"individual_digits\":false}",
    [WL_GGUF_STEP_PUNCTUATION] = "{\"type\":\"Punctuation\",\"behavior\":\"Isolated\"}",
    [WL_GGUF_STEP_MARKS] = "{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}",
    [WL_GGUF_STEP_WORDS] =
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}",
    [WL_GGUF_STEP_BYTES] =
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}",
};

void wl_gguf_pretokenizer_write(const wl_gguf_pretokenizer *pretokenizer, wl_json_writer *json)
{
    wl_json_write(json, "{\"type\":\"Sequence\",\"pretokenizers\":[");
    for (size_t i = 0; i < WL_GGUF_STEPS && pretokenizer->steps[i].kind; i++) {
        const wl_gguf_step *step = &pretokenizer->steps[i];
        if (i) wl_json_write(json, ",");
        if (step->kind == WL_GGUF_STEP_SPLIT) {
            wl_json_write(json, "{\"type\":\"Split\",\"pattern\":{\"Regex\":");
            wl_json_write_string(json, (wl_text){step->expression, strlen(step->expression)});
            wl_json_write(json, "},\"behavior\":\"Isolated\",\"invert\":false}");
        } else
            wl_json_write(json, "%s", steps[step->kind]);
    }
    wl_json_write(json, "]}");
}
