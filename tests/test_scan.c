/* The block scanner of word expressions against the exact one, a word at a time: same cuts on random texts. */
#include "test.h"

#include "text/scan/word_starts.h"

static const char *const expressions[] = {
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
    "\\s+(?!\\S)|\\s+",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
    "\\s+(?!\\S)|\\s+",
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|"
    "'d)?"
    "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'"
    "ll|'d)?"
    "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?["
    "\\p{Lu}"
    "\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|"
    "\\s+(?!\\S)|\\s+",
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| "
    "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|"
    "\\s+(?!\\S)|\\s",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|"
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};

/* Frequent in turns; what decides most stands alone, too. */
static const char *const pieces[] = {
    " ",
    " ",
    " ",
    "  ",
    "      ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\v",
    "'",
    "''",
    "'s",
    "'T",
    "'re",
    "'VE",
    "'ll",
    "'lx",
    "a",
    "b",
    "Hello",
    "world",
    "HTTPServer",
    "s",
    "t",
    "l",
    "E",
    "0",
    "12",
    "345",
    "67890",
    ".",
    "...",
    ",",
    "/",
    "//",
    "-",
    "_",
    "(",
    "\x01",
    "\x7f",
    "\xC3\xA9",
    "\xE4\xBD\xA0",
    "\xE3\x80\x80",
    "\xC2\xA0",
    "\xC2\x85",
    "\xC5\xBF",
    "\xCC\x81",
    "\xF0\x9F\x98\x80",
    "\xD9\xA3",
};

static uint64_t state;

static uint64_t next_random(void)
{
    uint64_t x = state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

int main(void)
{
    size_t words = 0, blocks = 0;
    for (size_t e = 0; e < sizeof expressions / sizeof *expressions; e++) {
        wl_words_rules rules;
        wl_start_rules masks;
        CHECK_THAT(wl_words_read(expressions[e], strlen(expressions[e]), &rules), "%s", expressions[e]);
        CHECK_THAT(wl_start_rules_read(&rules, &masks), "%s", expressions[e]);
        for (int round = 0; round < 40000; round++) {
            char text[2048];
            size_t size = 0;
            state = (uint64_t)round + e * 1000003;
            /* The number of kinds of pieces differs from text to text: few make long runs of the same class. */
            size_t length = next_random() % 60, kinds = 1 + next_random() % 12, chosen[12];
            bool ascii = next_random() % 2;
            size_t count = sizeof pieces / sizeof *pieces - (ascii ? 9 : 0);
            for (size_t i = 0; i < kinds; i++) chosen[i] = next_random() % count;
            for (size_t i = 0; i < length; i++) {
                const char *piece = pieces[chosen[next_random() % kinds]];
                memcpy(text + size, piece, strlen(piece));
                size += strlen(piece);
            }
            for (size_t at = 0; at < size;) {
                uint64_t ends;
                size_t last = wl_word_ends(&rules, &masks, text, size, at, &ends), block = at;
                bool same = true;
                blocks++;
                for (; (ends || last) && same; ends &= ends - 1, words++) {
                    size_t end = ends ? block + (size_t)__builtin_ctzll(ends) : last;
                    size_t exact = wl_words_next(&rules, text, size, at);
                    if (!ends) last = 0;
                    same = exact == end;
                    CHECK_THAT(same, "expression %zu, round %d, from %zu to %zu, expected %zu: %.*s", e, round, at, end,
                               exact, (int)size, text);
                    at = end;
                }
                if (!same) break;
            }
        }
    }
    printf("%zu words in %zu blocks\n", words, blocks);
    return test_end();
}
