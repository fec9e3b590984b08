/* Pickles: nothing is executed, whatever they ask for. */
#include <inttypes.h>
#include <stdbool.h>

#include "extract/pickle.h"
#include "test.h"

static const wl_pickle_global known[] = {{"m", "f", 5}, {"collections", "OrderedDict", 6}};

static wl_status read_pickle(wl_pickle *pickle, const char *data, size_t size, wl_error *error)
{
    char *copy = malloc(size ? size : 1); /* so that a sanitizer sees a read behind it */
    if (!copy) exit(EXIT_FAILURE);
    memcpy(copy, data, size);
    wl_status status = wl_pickle_read(pickle, copy, size, known, 2, "file", 1000, error);
    free(copy);
    return status;
}

#define TEXT(literal) literal, sizeof(literal) - 1

static void test_values(void)
{
    wl_error error;
    wl_pickle pickle;
    static const char list[] = "\x80\x04\x95\x10\0\0\0\0\0\0\0](K\xFFM\1\2J\xFE\xFF\xFF\xFF\x8A\0\x8A\1\x80\x8A\2\0\x80"
                               "\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x88\x89"
                               "e.";
    static const int64_t numbers[] = {255, 513, -2, 0, -128, -32768, INT64_MAX, 1, 0};
    const wl_pickle_value *items[9];
    CHECK_THAT(wl_pickle_read(&pickle, TEXT(list), known, 2, "file", 0, &error) == WL_OK, "%s", error.message);
    const wl_pickle_value *root = &pickle.values[pickle.root];
    CHECK(root->kind == WL_PICKLE_LIST && root->count == 9 && wl_pickle_items(&pickle, root, 9, items));
    CHECK(!wl_pickle_items(&pickle, root, 10, items));
    for (size_t i = 0; i < root->count; i++)
        CHECK_THAT(items[i]->kind == WL_PICKLE_INTEGER && items[i]->integer == numbers[i], "%zu: %" PRId64, i,
                   items[i]->integer);
    wl_pickle_free(&pickle);

    /* An object with items and attributes; the memo; what is dropped. */
    static const char object[] = "\x80\2ccollections\nOrderedDict\nq\0)Rq\1(X\1\0\0\0aNh\1h\1u}bX\1\0\0\0bK\7s(NN1N0.";
    CHECK_THAT(wl_pickle_read(&pickle, TEXT(object), known, 2, "file", 0, &error) == WL_OK, "%s", error.message);
    root = &pickle.values[pickle.root];
    CHECK(root->kind == WL_PICKLE_CALL && root->meaning == 6 && root->count == 6);
    CHECK(wl_pickle_items(&pickle, root, 6, items) && items[2] == root && items[3] == root);
    CHECK(items[0]->kind == WL_PICKLE_TEXT && items[0]->text.size == 1 && items[0]->text.data[0] == 'a');
    CHECK(items[1]->kind == WL_PICKLE_OTHER && items[5]->integer == 7);
    CHECK(pickle.values[root->arguments].kind == WL_PICKLE_TUPLE && pickle.values[root->arguments].count == 0);
    wl_pickle_free(&pickle);

    static const char newer[] = "\x80\4\x8C\1m\x8C\1f\x93\x94K\1K\2\x86\x94R\x94\x8F\x94(K\3h\0\x90\x86Q.";
    CHECK_THAT(wl_pickle_read(&pickle, TEXT(newer), known, 2, "file", 0, &error) == WL_OK, "%s", error.message);
    root = &pickle.values[pickle.root];
    CHECK(root->kind == WL_PICKLE_PERSISTENT && wl_pickle_items(&pickle, &pickle.values[root->arguments], 2, items));
    CHECK(items[0]->kind == WL_PICKLE_CALL && items[0]->meaning == 5 && items[1]->kind == WL_PICKLE_SET);
    CHECK(wl_pickle_items(&pickle, items[1], 2, items) && items[1]->kind == WL_PICKLE_GLOBAL && items[1]->meaning == 5);
    wl_pickle_free(&pickle);
}

static void test_refusals(void)
{
    static const struct {
        const char *data;
        size_t size;
        wl_status code;
        uint64_t byte; /* of the opcode */
        const char *message;
    } bad[] = {
        {TEXT(""), WL_ERROR_FORMAT, 0, "without the opcode STOP"},
        {TEXT("N"), WL_ERROR_FORMAT, 1, "without the opcode STOP"},
        {TEXT("."), WL_ERROR_FORMAT, 0, "a value is missing"},
        {TEXT("\x80\6N."), WL_ERROR_UNSUPPORTED, 0, "protocol 6"},
        {TEXT("cos\nsystem\nX\2\0\0\0ls\x85R."), WL_ERROR_UNSUPPORTED, 0,
         "asks for os.system, which is code: only tensors are read"},
        {TEXT("c__builtin__\neval\n."), WL_ERROR_UNSUPPORTED, 0, "asks for __builtin__.eval"},
        {TEXT("cm\nff\n."), WL_ERROR_UNSUPPORTED, 0, "asks for m.ff"},
        {TEXT("cm\n\n."), WL_ERROR_UNSUPPORTED, 0, "asks for m.,"},
        {TEXT("\x8C\2os\x8C\6system\x93."), WL_ERROR_UNSUPPORTED, 12, "asks for os.system"},
        {TEXT("NN\x93."), WL_ERROR_FORMAT, 2, "name is no text"},
        {TEXT("(S'ls'\nios\nsystem\n."), WL_ERROR_UNSUPPORTED, 1, "opcode STRING"},
        {TEXT("(ios\nsystem\n."), WL_ERROR_UNSUPPORTED, 1, "opcode INST"},
        {TEXT("(cm\nf\no."), WL_ERROR_UNSUPPORTED, 6, "opcode OBJ"},
        {TEXT("cm\nf\n)\x81."), WL_ERROR_UNSUPPORTED, 6, "opcode NEWOBJ"},
        {TEXT("\x82\1."), WL_ERROR_UNSUPPORTED, 0, "opcode EXT1"},
        {TEXT("N2."), WL_ERROR_UNSUPPORTED, 1, "opcode DUP"},
        {TEXT("\x99."), WL_ERROR_FORMAT, 0, "0x99 is no opcode"},
        {TEXT("]]R."), WL_ERROR_UNSUPPORTED, 2, "calls what is no function"},
        {TEXT("cm\nf\nNR."), WL_ERROR_UNSUPPORTED, 6, "calls what is no function"},
        {TEXT("cm\nf\n)R)R."), WL_ERROR_UNSUPPORTED, 8, "calls what is no function"},
        {TEXT("NR."), WL_ERROR_FORMAT, 1, "a value is missing"},
        {TEXT("(NR."), WL_ERROR_FORMAT, 2, "a value is missing"},
        {TEXT("N\x86."), WL_ERROR_FORMAT, 1, "a value is missing"},
        {TEXT("N(NN\x87."), WL_ERROR_FORMAT, 4, "a value is missing"},
        {TEXT("Nt."), WL_ERROR_FORMAT, 1, "a mark is missing"},
        {TEXT("N1."), WL_ERROR_FORMAT, 1, "a mark is missing"},
        {TEXT("0."), WL_ERROR_FORMAT, 0, "a value is missing"},
        {TEXT("(NNNd."), WL_ERROR_FORMAT, 4, "a key without a value"},
        {TEXT("}(Nu."), WL_ERROR_FORMAT, 3, "a key without a value"},
        {TEXT("](Nu."), WL_ERROR_FORMAT, 3, "no container"},
        {TEXT("(Ne."), WL_ERROR_FORMAT, 2, "no container"},
        {TEXT("Na."), WL_ERROR_FORMAT, 1, "no container"},
        {TEXT("((Ne."), WL_ERROR_FORMAT, 3, "no container"},
        {TEXT(")Na."), WL_ERROR_FORMAT, 2, "no container"},
        {TEXT("]NNs."), WL_ERROR_FORMAT, 3, "no container"},
        {TEXT("]}b."), WL_ERROR_FORMAT, 2, "attributes for what is no object"},
        {TEXT("h\0."), WL_ERROR_FORMAT, 0, "value 0 was never stored"},
        {TEXT("Nq\1j\2\0\0\0."), WL_ERROR_FORMAT, 3, "value 2 was never stored"},
        {TEXT("Nr\xFF\xFF\xFF\xFF."), WL_ERROR_FORMAT, 1, "stores value 4294967295 after 1 bytes"},
        {TEXT("q\0."), WL_ERROR_FORMAT, 0, "a value is missing"},
        {TEXT("(\x94."), WL_ERROR_FORMAT, 1, "a value is missing"},
        {TEXT("\x8D\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF."), WL_ERROR_FORMAT, 0,
         "cut: it ends at its byte 10, in the opcode BIN"},
        {TEXT("X\xFF\xFF\xFF\xFF."), WL_ERROR_FORMAT, 0, "in the opcode BINUNICODE"},
        {TEXT("\x95\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF."), WL_ERROR_FORMAT, 0, "a frame of 18446744073709551615 bytes"},
        {TEXT("cos\nsystem"), WL_ERROR_FORMAT, 0, "in the opcode GLOBAL"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wl_error error;
        wl_pickle pickle;
        wl_status status = read_pickle(&pickle, bad[i].data, bad[i].size, &error);
        CHECK_THAT(status == bad[i].code && strstr(error.message, bad[i].message), "%zu: %s", i, error.message);
        CHECK_THAT(error.byte == 1000 + bad[i].byte && strcmp(error.file, "file") == 0, "%zu: %" PRIu64, i, error.byte);
        CHECK(!pickle.values && !pickle.cells);
    }
}

/* A repeated part behind a beginning, and an end. */
static wl_status read_repeated(const char *begin, const char *part, size_t part_size, size_t count, const char *end,
                               wl_pickle *pickle, wl_error *error)
{
    size_t head = strlen(begin), tail = strlen(end), size = head + part_size * count + tail;
    char *data = malloc(size);
    if (!data) exit(EXIT_FAILURE);
    memcpy(data, begin, head);
    for (size_t i = 0; i < count; i++) memcpy(data + head + i * part_size, part, part_size);
    memcpy(data + size - tail, end, tail);
    wl_status status = wl_pickle_read(pickle, data, size, known, 2, "file", 0, error);
    free(data);
    return status;
}

static void test_bombs(void)
{
    wl_error error;
    wl_pickle pickle;
    /* A million lists, each in the one before: nothing recurses. */
    char *nested = malloc(2000002);
    if (!nested) exit(EXIT_FAILURE);
    memset(nested, ']', 1000001);
    memset(nested + 1000001, 'a', 1000000);
    nested[2000001] = '.';
    CHECK_THAT(wl_pickle_read(&pickle, nested, 2000002, known, 2, "file", 0, &error) == WL_OK, "%s", error.message);
    CHECK(pickle.value_count == 1000001);
    wl_pickle_free(&pickle);
    free(nested);
    /* Pairs of the pair before, 2^100000 values if they were walked. */
    CHECK(read_repeated("Nq\1", TEXT("h\1h\1\x86q\1"), 100000, ".", &pickle, &error) == WL_OK);
    CHECK(pickle.value_count == 100001 && pickle.cell_count == 200001);
    wl_pickle_free(&pickle);
    /* A list that holds itself, many times. */
    CHECK(read_repeated("]q\1(", TEXT("h\1"), 100000, "e.", &pickle, &error) == WL_OK);
    CHECK(pickle.value_count == 1 && pickle.values[pickle.root].count == 100000);
    wl_pickle_free(&pickle);
    CHECK(read_repeated("", TEXT("]"), (size_t)1 << 23, ".", &pickle, &error) == WL_ERROR_LIMIT);
    CHECK_THAT(strstr(error.message, "more than 4194304 values"), "%s", error.message);
    CHECK(read_repeated("", TEXT("("), 100000, ".", &pickle, &error) == WL_ERROR_FORMAT);
    CHECK(read_repeated("", TEXT("N0"), (size_t)1 << 25, ".", &pickle, &error) == WL_ERROR_LIMIT);
    CHECK_THAT(strstr(error.message, "expected at most 67108864"), "%s", error.message);
}

int main(void)
{
    test_values();
    test_refusals();
    test_bombs();
    return test_end();
}
