/* Vocabularies learned from texts: pieces against the trainer of `tokenizers` (golden data) and against counting all
 * pairs anew after each joining; the file against the reader; mistakes and allocations that fail. */
#define _XOPEN_SOURCE 700
#include <inttypes.h>

#include "fault.h"
#include "files.h"
#include "test.h"
#include "train/word_pieces.h"
#include "wordllama_train.h"

static wl_error error;

static uint32_t random_below(uint32_t limit)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % limit);
}

/* ---- pieces by the definition ------------------------------------------------------------------------------------ */

enum { MOST_WORDS = 60, MOST_LENGTH = 12, MOST_PIECES = 400 };

/* The plain way: all pairs of all words are counted anew for each joining. */
typedef struct plain {
    uint32_t symbols[MOST_WORDS][MOST_LENGTH], lengths[MOST_WORDS];
    uint64_t counts[MOST_WORDS];
    char pieces[MOST_PIECES][64];
    uint32_t piece_count;
} plain;

static uint32_t plain_piece(plain *this, const char *text)
{
    uint32_t i = 0;
    while (i < this->piece_count && strcmp(this->pieces[i], text) != 0) i++;
    if (i == this->piece_count) snprintf(this->pieces[this->piece_count++], sizeof this->pieces[0], "%s", text);
    return i;
}

static bool plain_best(const plain *this, size_t words, uint64_t least, uint32_t *left, uint32_t *right)
{
    static uint64_t counts[MOST_PIECES][MOST_PIECES];
    uint64_t best = 0;
    memset(counts, 0, sizeof counts);
    for (size_t w = 0; w < words; w++)
        for (uint32_t i = 1; i < this->lengths[w]; i++)
            counts[this->symbols[w][i - 1]][this->symbols[w][i]] += this->counts[w];
    for (uint32_t a = 0; a < this->piece_count; a++)
        for (uint32_t b = 0; b < this->piece_count; b++)
            if (counts[a][b] > best) {
                best = counts[a][b];
                *left = a;
                *right = b;
            }
    return best >= least && best > 0;
}

static void plain_join(plain *this, size_t words, uint32_t left, uint32_t right)
{
    char text[64];
    snprintf(text, sizeof text, "%.30s%.30s", this->pieces[left], this->pieces[right] + 2);
    uint32_t piece = plain_piece(this, text);
    for (size_t w = 0; w < words; w++) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < this->lengths[w]; i++) {
            uint32_t *symbols = this->symbols[w];
            bool joined = i + 1 < this->lengths[w] && symbols[i] == left && symbols[i + 1] == right;
            symbols[kept++] = joined ? piece : symbols[i];
            i += joined;
        }
        this->lengths[w] = kept;
    }
}

/* Words of few letters, with many repeated ones: all ties and overlaps come up. */
static void make_words(wl_word_counts *words)
{
    uint32_t number, letters = 1 + random_below(4), count = 1 + random_below(MOST_WORDS - 1);
    for (uint32_t i = 0; i < count; i++) {
        char word[MOST_LENGTH];
        uint32_t size = 1 + random_below(MOST_LENGTH - 1);
        for (uint32_t j = 0; j < size; j++) word[j] = (char)('a' + random_below(letters));
        CHECK(!wl_word_counts_add(words, (wl_text){word, size}, 1 + random_below(5), &number, &error));
    }
}

static void test_against_plain(void)
{
    for (int round = 0; round < 200; round++) {
        wl_word_counts words = {0}, vocabulary = {0};
        make_words(&words);
        wl_piece_options options = {.pieces = 10 + random_below(120), .alphabet = 100, .least_count = random_below(4)};
        CHECK(!wl_learn_pieces(&words, &options, &vocabulary, &error));
        plain *expected = calloc(1, sizeof *expected);
        /* The alphabet is what it is told to be; how it is ordered is checked by the file's test. */
        size_t alphabet = 0;
        while (alphabet < vocabulary.count) {
            wl_text text = wl_word_counts_text(&vocabulary, alphabet);
            bool is_character = text.size == 1 || (text.size == 3 && text.data[0] == '#');
            if (!is_character) break;
            char piece[64];
            snprintf(piece, sizeof piece, "%.*s", (int)text.size, text.data);
            CHECK(plain_piece(expected, piece) == alphabet++);
        }
        for (size_t w = 0; w < words.count; w++) {
            wl_text word = wl_word_counts_text(&words, w);
            expected->counts[w] = words.words[w].count;
            for (size_t i = 0; i < word.size; i++) {
                char piece[4] = {word.data[i], 0};
                if (i) snprintf(piece, sizeof piece, "##%c", word.data[i]);
                expected->symbols[w][expected->lengths[w]++] = plain_piece(expected, piece);
            }
        }
        CHECK(expected->piece_count == alphabet);
        uint32_t left = 0, right = 0;
        while (expected->piece_count < options.pieces &&
               plain_best(expected, words.count, options.least_count, &left, &right))
            plain_join(expected, words.count, left, right);
        CHECK_THAT(expected->piece_count == vocabulary.count, "round %d: %u and %zu", round, expected->piece_count,
                   vocabulary.count);
        for (uint32_t i = 0; i < expected->piece_count && i < vocabulary.count; i++) {
            wl_text text = wl_word_counts_text(&vocabulary, i);
            CHECK_THAT(strlen(expected->pieces[i]) == text.size &&
                           memcmp(expected->pieces[i], text.data, text.size) == 0,
                       "round %d, piece %u: %s and %.*s", round, i, expected->pieces[i], (int)text.size, text.data);
        }
        free(expected);
        wl_word_counts_free(&words);
        wl_word_counts_free(&vocabulary);
    }
}

/* ---- counts ------------------------------------------------------------------------------------------------------ */

static void test_counts(void)
{
    wl_word_counts counts = {0};
    uint32_t number;
    CHECK(wl_word_counts_find(&counts, (wl_text){"a", 1}) == UINT32_MAX);
    for (int i = 0; i < 30000; i++) {
        char word[16];
        int size = snprintf(word, sizeof word, "%d", i % 10000);
        CHECK(!wl_word_counts_add(&counts, (wl_text){word, (size_t)size}, i % 10000 == 77 ? 5 : 1, &number, &error));
        CHECK(number == (uint32_t)(i % 10000));
    }
    CHECK(counts.count == 10000 && counts.words[77].count == 15 && counts.words[78].count == 3);
    uint32_t *order = wl_word_counts_sort(&counts, &error);
    CHECK(order && order[0] == 77 && order[1] == 0 && order[2] == 1 && order[3] == 10); /* by bytes: 0, 1, 10 */
    free(order);
    wl_word_counts_free(&counts);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool equal_files(const char *a, const char *b)
{
    static char data[2][1 << 16];
    const char *const paths[2] = {a, b};
    size_t sizes[2] = {0};
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(paths[i], "rb");
        sizes[i] = file ? fread(data[i], 1, sizeof data[i], file) : 0;
        if (file) fclose(file);
    }
    return sizes[0] > 0 && sizes[0] == sizes[1] && memcmp(data[0], data[1], sizes[0]) == 0;
}

static wl_status learn(const char *path, const char *out, const wl_vocabulary_options *options,
                       wl_vocabulary_learned *learned)
{
    error = (wl_error){0};
    return wl_learn_vocabulary(&path, 1, out, options, learned, &error);
}

static bool has(const wl_tokenizer *tokenizer, const char *piece)
{
    uint32_t id;
    return wl_tokenizer_id(tokenizer, (wl_text){piece, strlen(piece)}, &id);
}

/* The pieces that the library learns however it breaks ties, and few others. */
static void test_golden(void)
{
    wl_vocabulary_options options = {.size = sizeof options, .entries = 4000, .pieces = 4000, .least_count = 4};
    const char *out = files_path("golden.json");
    CHECK_THAT(!learn(WL_TEST_DATA "/../demo/texts.txt", out, &options, NULL), "%s", error.message);
    wl_tokenizer *tokenizer = wl_tokenizer_open(out, &error);
    FILE *file = fopen(WL_TEST_DATA "/golden/vocabulary.txt", "r");
    char line[200];
    size_t count = 0;
    CHECK(tokenizer && file);
    for (; tokenizer && file && fgets(line, sizeof line, file); count++) {
        line[strcspn(line, "\n")] = 0;
        CHECK_THAT(has(tokenizer, line), "%s", line);
    }
    size_t all = tokenizer ? wl_tokenizer_vocabulary(tokenizer, true) : 0;
    CHECK_THAT(count > 200 && all >= count && all <= count + count / 20, "%zu of %zu", count, all);
    if (file) fclose(file);
    wl_tokenizer_close(tokenizer);
}

static const char texts[] =
    "{\"anchor\": \"The caf\\u00e9, the Caf\\u00c9!\", \"positive\": \"say \\\"the\\\" back\\\\slash\"}\n"
    "{\"anchor\": \"the tea\", \"positive\": \"teas\", \"negative\": \"t\\u4e2dt\"}\n";

static void test_file(void)
{
    const char *path = files_write("texts.jsonl", texts, sizeof texts - 1);
    char out[PATH_MAX], again[PATH_MAX];
    snprintf(out, sizeof out, "%s", files_path("one.json"));
    snprintf(again, sizeof again, "%s", files_path("two.json"));
    wl_vocabulary_options options = {.size = sizeof options, .entries = 60, .pieces = 30, .least_count = 1};
    wl_vocabulary_learned learned;
    CHECK_THAT(!learn(path, out, &options, &learned), "%s", error.message);
    CHECK(!learn(path, again, &options, NULL) && equal_files(out, again));
    CHECK(learned.texts == 5 && learned.words == 19 && learned.different == 13);
    CHECK_THAT(learned.covered > 0.9, "%g", learned.covered);
    wl_tokenizer *tokenizer = wl_tokenizer_open(out, &error);
    CHECK_THAT(tokenizer != NULL, "%s", error.message);
    if (!tokenizer) return;
    CHECK(strcmp(wl_tokenizer_kind(tokenizer), "WordPiece") == 0);
    CHECK(wl_tokenizer_vocabulary(tokenizer, true) == learned.entries);
    CHECK(has(tokenizer, "the") && has(tokenizer, "cafe") && has(tokenizer, "\"") && has(tokenizer, "\\"));
    CHECK(has(tokenizer, "\xE4\xB8\xAD") && has(tokenizer, "##a") && !has(tokenizer, "##!") && !has(tokenizer, "The"));
    uint32_t ids[16], unknown;
    size_t count;
    wl_context_options one = {.size = sizeof one, .threads = 1};
    wl_context *context = wl_context_create(&one, &error);
    wl_text text = {"THE caf\xC3\xA9 \xF0\x9F\x98\x80", 14};
    CHECK(!wl_encode(tokenizer, context, text, NULL, ids, NULL, 16, &count, &error) && count == 3);
    CHECK(wl_tokenizer_id(tokenizer, (wl_text){"[UNK]", 5}, &unknown) && unknown == 1 && ids[2] == unknown);
    wl_context_free(context);
    wl_tokenizer_close(tokenizer);
    options.cased = true;
    CHECK(!learn(path, out, &options, &learned) && learned.different == 15);
    tokenizer = wl_tokenizer_open(out, &error);
    CHECK(tokenizer && has(tokenizer, "The") && has(tokenizer, "caf\xC3\xA9"));
    wl_tokenizer_close(tokenizer);
}

static bool cancel(void *user, uint64_t records, uint64_t bytes)
{
    (void)records;
    (void)bytes;
    ++*(size_t *)user;
    return false;
}

static void test_mistakes(void)
{
    wl_vocabulary_options options = {.size = sizeof options, .entries = 10, .pieces = 11};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", files_write("texts.jsonl", texts, sizeof texts - 1));
    char out[PATH_MAX];
    snprintf(out, sizeof out, "%s", files_path("never.json"));
    CHECK(learn(path, out, &options, NULL) == WL_ERROR_ARGUMENT && strstr(error.message, "11 pieces"));
    CHECK(learn(path, path, NULL, NULL) == WL_ERROR_ARGUMENT && strstr(error.message, "read"));
    CHECK(learn(files_path("nothing.jsonl"), out, NULL, NULL) == WL_ERROR_NOT_FOUND);
    const char *empty = files_write("empty.txt", " \n\n", 3);
    CHECK(learn(empty, out, NULL, NULL) == WL_ERROR_FORMAT && strstr(error.message, "no word"));
    const char *broken = files_write("broken.jsonl", "{\"text\": \"a\"}\n{\"text\": \n", 24);
    CHECK(learn(broken, out, NULL, NULL) == WL_ERROR_FORMAT && error.line == 2);
    CHECK(access(out, F_OK) != 0);
    FILE *many = fopen(files_path("many.txt"), "w");
    for (int i = 0; many && i < 10000; i++) fprintf(many, "word %d\n", i);
    if (many) fclose(many);
    wl_vocabulary_options least = {.size = sizeof least, .entries = 7};
    wl_vocabulary_learned learned;
    CHECK(!learn(path, files_path("small.json"), &least, &learned) && learned.entries == 7);
    char *word = malloc(1000000);
    memset(word, 'a', 1000000);
    memcpy(word + 500000, " b b ", 5);
    CHECK(!learn(files_write("long.txt", word, 1000000), files_path("long.json"), NULL, &learned) &&
          learned.different == 1);
    free(word);
    size_t calls = 0;
    wl_vocabulary_options told = {.size = sizeof told, .progress = cancel, .user = &calls};
    CHECK(learn(files_path("many.txt"), out, &told, NULL) == WL_ERROR_CANCELLED && calls == 1);
}

static void test_faults(void)
{
    if (!fault_available()) return;
    const char *path = files_write("texts.jsonl", texts, sizeof texts - 1);
    char out[PATH_MAX];
    snprintf(out, sizeof out, "%s", files_path("fault.json"));
    size_t nth = 1;
    for (;; nth++) {
        fault_begin(nth);
        wl_status status = learn(path, out, NULL, NULL);
        if (!fault_end()) {
            CHECK_THAT(!status, "%s", error.message);
            break;
        }
        CHECK_THAT(status == WL_ERROR_MEMORY, "allocation %zu: %s", nth, error.message);
        CHECK(access(out, F_OK) != 0);
    }
    CHECK_THAT(nth > 20, "%zu", nth);
}

int main(void)
{
    if (!files_begin()) return EXIT_FAILURE;
    test_counts();
    test_against_plain();
    test_golden();
    test_file();
    test_mistakes();
    test_faults();
    files_end();
    return test_end();
}
