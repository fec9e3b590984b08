/* Documents, queries, and which of the documents each query wants, as BEIR has them (Thakur et al. 2021). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "algo/sentences.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/sets_read.h"
#include "text/unicode/utf8.h"

static const char *const id_field[] = {"_id", "id", NULL};
static const char *const query_id_field[] = {"_id", "id", "query-id", "query_id", NULL};
static const char *const judged_query_field[] = {"query", "query-id", "query_id", NULL};
static const char *const judged_document_field[] = {"doc", "document", "corpus-id", "corpus_id", "doc_id", NULL};
static const char *const grade_field[] = {"score", NULL};
static const char *const title_field[] = {"title", NULL};
static const char *const text_field[] = {"text", NULL};

/* ---- names to numbers -------------------------------------------------------------------------------------------- */

/* Names numbered as they come: open addressing over their hashes, at most half full. */
typedef struct numbering {
    wl_buffer bytes;
    wl_slices names;
    uint32_t *slots; /* number and 1; 0: free */
    size_t slot_count;
} numbering;

static wl_text name_of(const numbering *table, size_t number)
{
    return (wl_text){table->bytes.data + table->names.items[number].at, table->names.items[number].size};
}

/* The slot of a name, or the free one where it belongs. */
static uint32_t *find_slot(const numbering *table, wl_text name)
{
    size_t slot = wl_hash_range(wl_hash_bytes(name.data, name.size), table->slot_count);
    while (table->slots[slot]) {
        wl_text other = name_of(table, table->slots[slot] - 1);
        if (other.size == name.size && wl_bytes_equal(other.data, name.data, name.size)) break;
        slot = slot + 1 < table->slot_count ? slot + 1 : 0;
    }
    return &table->slots[slot];
}

static wl_status grow(numbering *table, wl_error *error)
{
    size_t count = table->slot_count ? 2 * table->slot_count : 1024;
    uint32_t *slots = wl_allocate(count, sizeof *slots, error);
    if (!slots) return WL_ERROR_MEMORY;
    free(table->slots);
    table->slots = slots;
    table->slot_count = count;
    for (size_t i = 0; i < table->names.count; i++) *find_slot(table, name_of(table, i)) = (uint32_t)i + 1;
    return WL_OK;
}

/* The number of a name; known: it had one before. */
static wl_status number_name(numbering *table, wl_text name, uint32_t *number, bool *known, wl_error *error)
{
    if (2 * (table->names.count + 1) > table->slot_count && grow(table, error)) return WL_ERROR_MEMORY;
    uint32_t *slot = find_slot(table, name);
    *known = *slot != 0;
    wl_status status = *known ? WL_OK : wl_slices_append(&table->names, name, &table->bytes, error);
    if (status) return status;
    if (!*known) *slot = (uint32_t)table->names.count;
    *number = *slot - 1;
    return WL_OK;
}

static void free_numbering(numbering *table)
{
    wl_buffer_free(&table->bytes);
    free(table->names.items);
    free(table->slots);
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

typedef struct judged {
    uint32_t query, document; /* numbers of names */
    double grade;
    size_t order; /* in the file */
} judged;

typedef struct judged_query {
    bool wanting;    /* some document is wanted */
    bool there;      /* its text was found */
    uint32_t number; /* among the queries kept: there, and wanting */
} judged_query;

/* The set as it grows. */
typedef struct draft {
    const char *name;
    numbering documents, queries; /* judged documents that the corpus lacks come behind its own */
    size_t document_count, query_count;
    wl_buffer bytes;
    wl_slices texts, titles, bodies;
    judged *judgements;
    size_t judgement_count, judgement_capacity;
    judged_query *judged; /* (judged_count): the queries' first names */
    size_t judged_count;
} draft;

/* Calls take for every record of a file. */
static wl_status read_records(draft *set, const char *path,
                              wl_status (*take)(draft *set, const wl_records *records, wl_error *error),
                              wl_error *error)
{
    wl_records records;
    int got = wl_records_open(&records, path, error) ? -1 : 1;
    while (got > 0 && (got = wl_records_next(&records, error)) > 0)
        if (take(set, &records, error)) got = -1;
    if (got == 0 && records.record == 0)
        got = -1, wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "holds no records");
    wl_records_close(&records);
    return got < 0 ? error->code : WL_OK;
}

/* Without white space at the ends. */
static wl_slice strip(const char *bytes, wl_slice slice)
{
    size_t begin = slice.at, end = slice.at + slice.size, length;
    while (begin < end && wl_is_blank(wl_utf8_decode(bytes + begin, &length))) begin += length;
    while (end > begin) {
        size_t last = end - 1;
        while (((unsigned char)bytes[last] & 0xC0) == 0x80) last--;
        if (!wl_is_blank(wl_utf8_decode(bytes + last, &length))) break;
        end = last;
    }
    return (wl_slice){begin, end - begin};
}

/* What of a slice lies in another one. */
static wl_slice common_part(wl_slice slice, wl_slice other)
{
    size_t begin = slice.at > other.at ? slice.at : other.at;
    size_t end = slice.at + slice.size < other.at + other.size ? slice.at + slice.size : other.at + other.size;
    return begin < end ? (wl_slice){begin, end - begin} : (wl_slice){other.at, 0};
}

static int shown(wl_text name)
{
    return name.size < 100 ? (int)name.size : 100;
}

static wl_status take_document(draft *set, const wl_records *records, wl_error *error)
{
    wl_text name, head = {"", 0}, body;
    uint32_t number;
    bool known;
    if (wl_records_text(records, id_field, &name, error) || number_name(&set->documents, name, &number, &known, error))
        return error->code;
    if (known)
        return wl_records_fail(records, error, "the document '%.*s' stands twice in the corpus", shown(name),
                               name.data);
    if (wl_records_find(records, title_field) && wl_records_text(records, title_field, &head, error))
        return error->code;
    size_t at = set->bytes.size;
    if (wl_records_text(records, text_field, &body, error) ||
        wl_buffer_append(&set->bytes, head.data, head.size, error) || wl_buffer_append(&set->bytes, " ", 1, error) ||
        wl_buffer_append(&set->bytes, body.data, body.size, error))
        return error->code;
    wl_slice whole = strip(set->bytes.data, (wl_slice){at, head.size + 1 + body.size});
    wl_slice first = common_part((wl_slice){at, head.size}, whole);
    wl_slice second = common_part((wl_slice){at + head.size + 1, body.size}, whole);
    return wl_slices_add(&set->texts, whole, error) || wl_slices_add(&set->titles, first, error) ||
                   wl_slices_add(&set->bodies, second, error)
               ? error->code
               : WL_OK;
}

/* ---- judgements -------------------------------------------------------------------------------------------------- */

static wl_status take_judgement(draft *set, const wl_records *records, wl_error *error)
{
    wl_text query, document;
    judged judgement = {.order = set->judgement_count};
    bool known;
    if (wl_records_text(records, judged_query_field, &query, error) ||
        number_name(&set->queries, query, &judgement.query, &known, error) ||
        wl_records_text(records, judged_document_field, &document, error) ||
        number_name(&set->documents, document, &judgement.document, &known, error) ||
        wl_records_number(records, grade_field, &judgement.grade, error))
        return error->code;
    void *judgements = set->judgements;
    wl_status status =
        wl_reserve(&judgements, &set->judgement_capacity, set->judgement_count + 1, sizeof judgement, error);
    set->judgements = judgements;
    if (!status) set->judgements[set->judgement_count++] = judgement;
    return status;
}

static int compare_numbers(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_judged(const void *a, const void *b)
{
    const judged *x = a, *y = b;
    int order = compare_numbers(x->query, y->query);
    if (!order) order = compare_numbers(x->document, y->document);
    return order ? order : compare_numbers(x->order, y->order);
}

/* Sorts the judgements by query and document; where one is judged twice the last one counts. */
static wl_status settle_judgements(draft *set, wl_error *error)
{
    set->judged_count = set->queries.names.count;
    set->judged = wl_allocate(set->judged_count, sizeof *set->judged, error);
    if (!set->judged) return WL_ERROR_MEMORY;
    size_t count = set->judgement_count, kept = 0;
    if (count > 1) qsort(set->judgements, count, sizeof *set->judgements, compare_judged);
    for (size_t i = 0; i < count; i++) {
        judged judgement = set->judgements[i];
        bool again = i + 1 < count && set->judgements[i + 1].query == judgement.query &&
                     set->judgements[i + 1].document == judgement.document;
        if (again) continue;
        set->judgements[kept++] = judgement;
        set->judged[judgement.query].wanting |= judgement.grade > 0;
    }
    set->judgement_count = kept;
    return WL_OK;
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */

static wl_status take_query(draft *set, const wl_records *records, wl_error *error)
{
    wl_text name, words;
    uint32_t number;
    bool known;
    if (wl_records_text(records, query_id_field, &name, error) ||
        number_name(&set->queries, name, &number, &known, error) || wl_records_text(records, text_field, &words, error))
        return error->code;
    judged_query *query = number < set->judged_count ? &set->judged[number] : NULL;
    if (query ? query->there : known)
        return wl_records_fail(records, error, "the query '%.*s' stands twice", shown(name), name.data);
    if (!query) return WL_OK;
    query->there = true;
    if (!query->wanting) return WL_OK;
    query->number = (uint32_t)set->query_count++;
    return wl_slices_append(&set->texts, words, &set->bytes, error);
}

/* ---- what is left out -------------------------------------------------------------------------------------------- */

static void say(const wl_sets_options *options, const char *format, ...) WL_PRINTF(2, 3);

static void say(const wl_sets_options *options, const char *format, ...)
{
    if (!options->message) return;
    char message[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    options->message(options->user, message);
}

static void tell_what_lacks(const draft *set, const wl_sets_options *options)
{
    size_t unwanting = 0, absent = 0, first = SIZE_MAX;
    for (size_t i = 0; i < set->judged_count; i++) {
        const judged_query *query = &set->judged[i];
        if (query->wanting && query->there) continue;
        unwanting += !query->wanting;
        absent += query->wanting;
        if (first == SIZE_MAX) first = i;
    }
    if (first != SIZE_MAX) {
        wl_text name = name_of(&set->queries, first);
        say(options, "%s: %zu of %zu queries have no %s and are left out, the first is '%.*s'", set->name,
            unwanting + absent, set->judged_count,
            !absent      ? "relevant document"
            : !unwanting ? "text"
                         : "relevant document or no text",
            shown(name), name.data);
    }
    size_t missing = set->documents.names.count - set->document_count;
    if (missing) {
        wl_text name = name_of(&set->documents, set->document_count);
        say(options, "%s: %zu judged documents are not in the corpus and count as not found, the first is '%.*s'",
            set->name, missing, shown(name), name.data);
    }
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* The path of a file with one of the endings; NULL where there is none, or out of memory (*error is filled then). */
static char *find_file(const char *folder, const char *stem, const char *ending, wl_error *error)
{
    static const char *const packings[] = {"", ".gz"};
    for (size_t i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s%s", stem, ending, packings[i]);
        char *path = wl_path_join(folder, name, error);
        if (!path || wl_path_exists(path)) return path;
        free(path);
    }
    wl_fail_at(error, WL_ERROR_NOT_FOUND, folder, WL_NO_POSITION, 0, "holds no %s%s, packed with gzip or not", stem,
               ending);
    return NULL;
}

/* In the folder qrels: test.tsv, or the only file of its kind. */
static char *find_table(const char *folder, wl_error *error)
{
    char *table = find_file(folder, "test", ".tsv", error);
    if (table || error->code != WL_ERROR_NOT_FOUND) return table;
    wl_folder names = {0};
    const char *only = NULL;
    size_t found = 0;
    wl_status status = wl_folder_list(&names, folder, error);
    for (size_t i = 0; i < names.count && !status; i++) {
        wl_records_form form;
        size_t stem;
        if (!wl_records_named(names.names[i], &form, &stem) || form != WL_RECORDS_TSV) continue;
        only = names.names[i];
        found++;
    }
    if (found == 1)
        table = wl_path_join(folder, only, error);
    else if (!status)
        wl_fail_at(error, WL_ERROR_NOT_FOUND, folder, WL_NO_POSITION, 0,
                   "holds %zu files .tsv, expected test.tsv or a single one", found);
    wl_folder_free(&names);
    return table;
}

static char *find_judgements(const char *folder, wl_error *error)
{
    char *file = find_file(folder, "qrels", ".jsonl", error);
    if (file || error->code != WL_ERROR_NOT_FOUND) return file;
    char *tables = wl_path_join(folder, "qrels", error);
    if (tables && wl_path_is_directory(tables))
        file = find_table(tables, error);
    else if (tables)
        wl_fail_at(error, WL_ERROR_NOT_FOUND, folder, WL_NO_POSITION, 0,
                   "holds neither qrels.jsonl, packed with gzip or not, nor qrels/test.tsv");
    free(tables);
    return file;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status read_files(draft *set, const char *folder, wl_error *error)
{
    char *corpus = find_file(folder, "corpus", ".jsonl", error);
    char *queries = corpus ? find_file(folder, "queries", ".jsonl", error) : NULL;
    char *judgements = queries ? find_judgements(folder, error) : NULL;
    wl_status status = judgements ? read_records(set, corpus, take_document, error) : error->code;
    set->document_count = set->documents.names.count;
    if (!status) status = read_records(set, judgements, take_judgement, error);
    if (!status) status = settle_judgements(set, error);
    if (!status) status = read_records(set, queries, take_query, error);
    if (!status && !set->query_count)
        status = wl_fail_at(error, WL_ERROR_FORMAT, queries, WL_NO_POSITION, 0,
                            "has no query for which %.200s names a relevant document", judgements);
    free(corpus);
    free(queries);
    free(judgements);
    return status;
}

static int compare_judgements(const void *a, const void *b)
{
    const wl_judgement *x = a, *y = b;
    int order = compare_numbers(x->query, y->query);
    if (!order) order = compare_numbers(x->document, y->document);
    return order ? order : (x->grade < y->grade) - (x->grade > y->grade);
}

/* The judgements of the queries that are kept. */
static wl_status take_judgements(const draft *from, wl_set *set, wl_error *error)
{
    set->judgements = wl_allocate(from->judgement_count, sizeof *set->judgements, error);
    if (!set->judgements) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < from->judgement_count; i++) {
        const judged *judgement = &from->judgements[i];
        const judged_query *query = &from->judged[judgement->query];
        bool there = judgement->document < from->document_count;
        if (!query->wanting || !query->there) continue;
        set->judgements[set->judgement_count++] =
            (wl_judgement){query->number, there ? judgement->document : WL_NO_DOCUMENT, judgement->grade};
    }
    if (set->judgement_count > 1)
        qsort(set->judgements, set->judgement_count, sizeof *set->judgements, compare_judgements);
    return WL_OK;
}

static wl_status finish(const wl_set_source *source, draft *from, wl_sets *sets, wl_error *error)
{
    wl_set *set = wl_sets_add(sets, source, NULL, error);
    if (!set) return WL_ERROR_MEMORY;
    set->bytes = from->bytes.data;
    from->bytes = (wl_buffer){0};
    set->text_count = from->texts.count;
    set->document_count = from->document_count;
    set->items = from->query_count;
    set->texts = wl_slices_texts(&from->texts, set->bytes, error);
    set->titles = set->texts ? wl_slices_texts(&from->titles, set->bytes, error) : NULL;
    set->bodies = set->titles ? wl_slices_texts(&from->bodies, set->bytes, error) : NULL;
    return set->bodies ? take_judgements(from, set, error) : WL_ERROR_MEMORY;
}

wl_status wl_set_read_retrieval(const wl_set_source *source, const wl_sets_options *options, wl_sets *sets,
                                wl_error *error)
{
    draft set = {.name = source->name};
    wl_status status = read_files(&set, source->path, error);
    if (!status) tell_what_lacks(&set, options);
    if (!status) status = finish(source, &set, sets, error);
    free_numbering(&set.documents);
    free_numbering(&set.queries);
    wl_buffer_free(&set.bytes);
    free(set.texts.items);
    free(set.titles.items);
    free(set.bodies.items);
    free(set.judgements);
    free(set.judged);
    return status;
}
