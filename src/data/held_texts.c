#include "data/held_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/records.h"
#include "data/sets_find.h"

/* What texts are called in sets and in pairs, a list of texts too. */
static const char *const text_fields[] = {"text",     "text1",     "text2",     "sentence", "sentence1", "sentence2",
                                          "sent1",    "sent2",     "sentences", "anchor",   "positive",  "positives",
                                          "negative", "negatives", "query",     "question", "answer",    "document",
                                          "title",    "body",      NULL};

typedef struct walk {
    wl_text_visitor visitor;
    const char *file; /* that is being read, for the visitor */
    uint64_t texts;
    wl_buffer scratch, joined;
} walk;

static wl_status visit(walk *this, wl_text text, wl_error *error)
{
    this->texts++;
    return this->visitor.visit(this->visitor.user, this->file, text, error);
}

static wl_status visit_list(walk *this, const wl_records *records, wl_text list, wl_error *error)
{
    wl_json json;
    wl_status status = WL_OK;
    wl_json_open(&json, list.data, list.size, records->bytes.name, &this->scratch, error);
    wl_json_begin_array(&json);
    while (!status && wl_json_element(&json)) {
        if (wl_json_peek(&json) == WL_JSON_STRING)
            status = visit(this, wl_json_string(&json), error);
        else
            wl_json_skip(&json);
    }
    return status;
}

static wl_status visit_joined(walk *this, const wl_records *records, wl_error *error)
{
    static const char *const titles[] = {"title", NULL}, *const texts[] = {"text", NULL};
    const wl_field *title = wl_records_find(records, titles), *text = wl_records_find(records, texts);
    if (!title || !text || title->kind != WL_JSON_STRING || text->kind != WL_JSON_STRING) return WL_OK;
    this->joined.size = 0;
    if (wl_buffer_append(&this->joined, title->text.data, title->text.size, error) ||
        wl_buffer_append(&this->joined, " ", 1, error) ||
        wl_buffer_append(&this->joined, text->text.data, text->text.size, error))
        return error->code;
    return visit(this, (wl_text){this->joined.data, this->joined.size}, error);
}

static wl_status visit_record(walk *this, const wl_records *records, wl_error *error)
{
    for (size_t i = 0; i < records->field_count; i++) {
        const wl_field *field = &records->fields[i];
        bool known = false;
        for (const char *const *name = text_fields; *name && !known; name++) known = wl_text_is(field->name, *name);
        wl_status status = !known                          ? WL_OK
                           : field->kind == WL_JSON_ARRAY  ? visit_list(this, records, field->text, error)
                           : field->kind == WL_JSON_STRING ? visit(this, field->text, error)
                                                           : WL_OK;
        if (status) return status;
    }
    return visit_joined(this, records, error);
}

static wl_status visit_file(walk *this, const char *path, const char *name, wl_error *error)
{
    wl_records records;
    wl_records_form form;
    size_t stem = strlen(name);
    if (!wl_records_named(name, &form, &stem)) stem = strlen(name);
    char *file = wl_copy_text(name, stem, error);
    if (!file) return WL_ERROR_MEMORY;
    this->file = file;
    int got = wl_records_open(&records, path, error) ? -1 : 1;
    while (got > 0 && (got = wl_records_next(&records, error)) > 0)
        if (visit_record(this, &records, error)) got = -1;
    wl_records_close(&records);
    free(file);
    return got < 0 ? error->code : WL_OK;
}

/* Files and folders that begin so hold names of queries and documents, no texts. */
static const char judgements[] = "qrels";

/* below: how much of the path is not that of the folder that was given. Folders may not lead back into themselves. */
static wl_status visit_folder(walk *this, const char *path, size_t below, int depth, wl_error *error)
{
    enum { DEEPEST = 16 };
    wl_folder names = {0};
    wl_status status = depth < DEEPEST ? wl_folder_list(&names, path, error) : WL_OK;
    for (size_t i = 0; i < names.count && !status; i++) {
        char *entry = wl_path_join(path, names.names[i], error);
        wl_records_form form;
        size_t stem;
        if (!entry)
            status = WL_ERROR_MEMORY;
        else if (strncmp(names.names[i], judgements, sizeof judgements - 1) == 0)
            status = WL_OK;
        else if (wl_path_is_directory(entry))
            status = visit_folder(this, entry, below, depth + 1, error);
        else if (wl_records_named(entry, &form, &stem))
            status = visit_file(this, entry, entry + below, error);
        free(entry);
    }
    wl_folder_free(&names);
    return status;
}

static wl_status visit_path(walk *this, const char *path, wl_error *error)
{
    if (!wl_path_is_directory(path)) {
        const char *slash = strrchr(path, '/');
        return visit_file(this, path, slash ? slash + 1 : path, error);
    }
    size_t below = strlen(path);
    return visit_folder(this, path, below + (path[below - 1] != '/'), 0, error);
}

wl_status wl_visit_texts(const char *const *paths, size_t count, wl_text_visitor visitor, wl_error *error)
{
    walk this = {.visitor = visitor};
    wl_status status = WL_OK;
    for (size_t i = 0; i < count && !status; i++) {
        uint64_t before = this.texts;
        status = visit_path(&this, paths[i], error);
        if (!status && this.texts == before)
            status =
                wl_fail_at(error, WL_ERROR_NOT_FOUND, paths[i], WL_NO_POSITION, 0,
                           "holds no texts: no record with a field such as text, text1, sentence1, anchor or query");
    }
    wl_buffer_free(&this.scratch);
    wl_buffer_free(&this.joined);
    return status;
}
