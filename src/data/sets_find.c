#define _XOPEN_SOURCE 700 /* realpath */
#include "data/sets_find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "data/records.h"
#include "data/sets_read.h"

const wl_group wl_groups[WL_GROUPS] = {
    {"sts", WL_TASK_SIMILARITY},        {"sts-multilingual", WL_TASK_SIMILARITY},
    {"wordsim", WL_TASK_SIMILARITY},    {"classification", WL_TASK_CLASSIFICATION},
    {"clustering", WL_TASK_CLUSTERING}, {"pair", WL_TASK_PAIR},
    {"retrieval", WL_TASK_RETRIEVAL},   {"triplet", WL_TASK_TRIPLET},
};

static const wl_group *group_named(const char *name)
{
    for (size_t i = 0; i < WL_GROUPS; i++)
        if (strcmp(wl_groups[i].name, name) == 0) return &wl_groups[i];
    return NULL;
}

/* The first group that asks this. */
static const wl_group *group_of_task(wl_task task)
{
    size_t i = 0;
    while (i + 1 < WL_GROUPS && wl_groups[i].task != task) i++;
    return &wl_groups[i];
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* The last name of a path; of "." that of the folder it stands for. Owned by the caller; NULL out of memory. */
static char *last_name(const char *path, wl_error *error)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin && path[begin - 1] != '/') begin--;
    wl_text name = {path + begin, end - begin};
    char *whole = wl_text_is(name, ".") || wl_text_is(name, "..") ? realpath(path, NULL) : NULL;
    char *copy = whole ? last_name(whole, error) : wl_copy_text(name.data, name.size, error);
    free(whole);
    return copy;
}

/* The name of the folder that a file is in. */
static char *parent_name(const char *path, wl_error *error)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? wl_copy_text(path, (size_t)(slash - path) + 1, error) : wl_copy_text(".", 1, error);
    char *name = folder ? last_name(folder, error) : NULL;
    free(folder);
    return name;
}

/* A file that may hold a set; lines of text do not. */
static bool holds_records(const char *name)
{
    wl_records_form form;
    size_t stem;
    return wl_records_named(name, &form, &stem) && form != WL_RECORDS_LINES;
}

static void cut_ending(char *name)
{
    wl_records_form form;
    size_t stem;
    if (wl_records_named(name, &form, &stem)) name[stem] = '\0';
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

wl_status wl_folder_list(wl_folder *folder, const char *path, wl_error *error)
{
    DIR *directory = opendir(path);
    if (!directory) return wl_fail_errno(error, path, "open", errno);
    wl_status status = WL_OK;
    for (struct dirent *entry; !status && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.') continue;
        void *names = folder->names;
        status = wl_reserve(&names, &folder->capacity, folder->count + 1, sizeof *folder->names, error);
        folder->names = names;
        char *name = status ? NULL : wl_copy_text(entry->d_name, strlen(entry->d_name), error);
        if (name)
            folder->names[folder->count++] = name;
        else
            status = WL_ERROR_MEMORY;
    }
    closedir(directory);
    if (folder->count > 1) qsort(folder->names, folder->count, sizeof *folder->names, compare_strings);
    return status;
}

void wl_folder_free(wl_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) free(folder->names[i]);
    free(folder->names);
    *folder = (wl_folder){0};
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

/* Takes name over. What was found before is passed over. */
static wl_status add_source(wl_set_sources *sources, const wl_group *group, char *name, const char *path,
                            wl_error *error)
{
    for (size_t i = 0; i < sources->count; i++) {
        const wl_set_source *other = &sources->items[i];
        if (other->group != group || strcmp(other->name, name) != 0 || !wl_same_file(other->path, path)) continue;
        free(name);
        return WL_OK;
    }
    void *items = sources->items;
    wl_status status = wl_reserve(&items, &sources->capacity, sources->count + 1, sizeof *sources->items, error);
    sources->items = items;
    char *copy = status ? NULL : wl_copy_text(path, strlen(path), error);
    if (copy)
        sources->items[sources->count++] = (wl_set_source){.group = group, .name = name, .path = copy};
    else
        free(name);
    return copy ? WL_OK : WL_ERROR_MEMORY;
}

/* The group of a file whose folder tells none: by the fields of its first record. */
static wl_status tell_group(const char *path, const wl_group **group, wl_error *error)
{
    wl_records records;
    wl_task task;
    int got = wl_records_open(&records, path, error) ? -1 : wl_records_next(&records, error);
    if (got == 0)
        wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "holds no records");
    else if (got > 0 && !wl_set_task(&records, &task))
        wl_records_fail(&records, error,
                        "the fields tell no task; expected score, text1 and text2, or label, text1 and text2, or "
                        "anchor, positive and negative, or label and text");
    else if (got > 0)
        *group = group_of_task(task);
    wl_records_close(&records);
    return *group ? WL_OK : error->code;
}

/* group NULL: its fields tell it. */
static wl_status add_file(wl_set_sources *sources, const wl_group *group, const char *path, wl_error *error)
{
    if (!group && tell_group(path, &group, error)) return error->code;
    char *name = last_name(path, error);
    if (!name) return WL_ERROR_MEMORY;
    cut_ending(name);
    return add_source(sources, group, name, path, error);
}

static wl_status add_folder_set(wl_set_sources *sources, const char *path, wl_error *error)
{
    char *name = last_name(path, error);
    return name ? add_source(sources, group_named("retrieval"), name, path, error) : WL_ERROR_MEMORY;
}

/* The sets of a folder: folders in it for retrieval, else files. group NULL: the files tell it. */
static wl_status add_entries(wl_set_sources *sources, const wl_group *group, const char *path, const wl_folder *names,
                             wl_error *error)
{
    bool folders = group && group->task == WL_TASK_RETRIEVAL;
    wl_status status = WL_OK;
    size_t found = 0;
    for (size_t i = 0; i < names->count && !status; i++) {
        char *entry = wl_path_join(path, names->names[i], error);
        if (!entry) return WL_ERROR_MEMORY;
        if (wl_path_is_directory(entry) == folders && (folders || holds_records(entry))) {
            status = folders ? add_folder_set(sources, entry, error) : add_file(sources, group, entry, error);
            found++;
        }
        free(entry);
    }
    if (status || found) return status;
    return wl_fail_at(error, WL_ERROR_NOT_FOUND, path, WL_NO_POSITION, 0,
                      folders ? "holds no set: no folder with corpus.jsonl, queries.jsonl and qrels"
                      : group ? "holds no set: no file of JSON lines, CSV or TSV (.jsonl, .csv, .tsv, with .gz or not)"
                              : "holds no set: none of the folders sts, sts-multilingual, wordsim, classification, "
                                "clustering, pair, retrieval and triplet, no corpus.jsonl, and no file of JSON lines, "
                                "CSV or TSV (.jsonl, .csv, .tsv, with .gz or not)");
}

static wl_status add_group(wl_set_sources *sources, const wl_group *group, const char *path, wl_error *error)
{
    wl_folder names = {0};
    wl_status status = wl_folder_list(&names, path, error);
    if (!status) status = add_entries(sources, group, path, &names, error);
    wl_folder_free(&names);
    return status;
}

/* Beside folders of groups nothing else is read: a folder may be a group whose name was mistyped, and JSON lines a set
 * that was to be in one. */
static wl_status tell_what_is_left(const char *path, const wl_folder *names, const wl_sets_options *options,
                                   wl_error *error)
{
    for (size_t i = 0; options->message && i < names->count; i++) {
        if (group_named(names->names[i])) continue;
        char *entry = wl_path_join(path, names->names[i], error);
        if (!entry) return WL_ERROR_MEMORY;
        wl_records_form form;
        size_t stem;
        bool lines = wl_records_named(entry, &form, &stem) && form == WL_RECORDS_JSON;
        char text[600];
        snprintf(text, sizeof text, "%.400s is left out: the folder holds folders of groups, of which it is none",
                 entry);
        if (lines || wl_path_is_directory(entry)) options->message(options->user, text);
        free(entry);
    }
    return WL_OK;
}

/* A folder that is no set itself. */
static wl_status add_names(wl_set_sources *sources, const char *path, const wl_folder *names,
                           const wl_sets_options *options, wl_error *error)
{
    wl_status status = WL_OK;
    bool groups = false;
    for (size_t i = 0; i < names->count && !status; i++) {
        const wl_group *group = group_named(names->names[i]);
        char *entry = group ? wl_path_join(path, names->names[i], error) : NULL;
        if (group && !entry) return WL_ERROR_MEMORY;
        if (group && wl_path_is_directory(entry)) {
            groups = true;
            status = add_group(sources, group, entry, error);
        }
        free(entry);
    }
    if (status) return status;
    if (groups) return tell_what_is_left(path, names, options, error);
    char *name = last_name(path, error);
    if (!name) return WL_ERROR_MEMORY;
    const wl_group *group = group_named(name);
    free(name);
    return add_entries(sources, group, path, names, error);
}

static wl_status add_path(wl_set_sources *sources, const char *path, const wl_sets_options *options, wl_error *error)
{
    struct stat info;
    if (stat(path, &info) != 0) return wl_fail_errno(error, path, "open", errno);
    if (S_ISDIR(info.st_mode)) {
        wl_folder names = {0};
        wl_status status = wl_folder_list(&names, path, error);
        bool corpus = false;
        for (size_t i = 0; i < names.count; i++)
            corpus |= strcmp(names.names[i], "corpus.jsonl") == 0 || strcmp(names.names[i], "corpus.jsonl.gz") == 0;
        if (!status)
            status = corpus ? add_folder_set(sources, path, error) : add_names(sources, path, &names, options, error);
        wl_folder_free(&names);
        return status;
    }
    /* A pipe gives its bytes once, and a file may be asked for its fields first. */
    if (!S_ISREG(info.st_mode))
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, path, WL_NO_POSITION, 0,
                          "is neither a folder nor a regular file, and sets are read from those");
    char *parent = parent_name(path, error);
    if (!parent) return WL_ERROR_MEMORY;
    const wl_group *group = group_named(parent);
    free(parent);
    if (group && group->task == WL_TASK_RETRIEVAL) group = NULL; /* its sets are folders */
    return add_file(sources, group, path, error);
}

/* ---- train and test ---------------------------------------------------------------------------------------------- */

static const char train_mark[] = "-train", test_mark[] = "-test", sample_mark[] = "-4k";

/* Where "-train" stands in a name, at its end or before a further '-'; NULL: nowhere. */
static char *find_train(char *name)
{
    size_t size = sizeof train_mark - 1;
    char *mark = name;
    while ((mark = strstr(mark + 1, train_mark)) && mark[size] && mark[size] != '-') continue;
    return mark;
}

/* Whether a name is that of the train file with "-test" in place of the mark, and the ending behind it. */
static bool is_test_of(const char *name, const char *train, const char *mark, const char *ending)
{
    const char *rest = mark + sizeof train_mark - 1;
    size_t base = (size_t)(mark - train), size = strlen(rest), test = sizeof test_mark - 1;
    if (strncmp(name, train, base) != 0 || strncmp(name + base, test_mark, test) != 0) return false;
    name += base + test;
    return strncmp(name, rest, size) == 0 && strcmp(name + size, ending) == 0;
}

/* The source of that name in the train file's group, or NULL. */
static wl_set_source *find_test(wl_set_sources *sources, const wl_set_source *train, const char *mark,
                                const char *ending)
{
    for (size_t i = 0; i < sources->count; i++) {
        wl_set_source *other = &sources->items[i];
        if (other->path && other->group == train->group && is_test_of(other->name, train->name, mark, ending))
            return other;
    }
    return NULL;
}

/* Gives each train file its test file, which then is no source of its own, and the name of both: that of the train file
 * without the mark. A sample of the test file counts where that is missing, and else not at all. Names are compared all
 * with all: a folder holds few. */
static void pair_files(wl_set_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        wl_set_source *train = &sources->items[i];
        char *mark = train->path && train->group->task == WL_TASK_CLASSIFICATION ? find_train(train->name) : NULL;
        wl_set_source *test = mark ? find_test(sources, train, mark, "") : NULL;
        wl_set_source *sample = mark ? find_test(sources, train, mark, sample_mark) : NULL;
        if (!test && !sample) continue;
        train->test = test ? test->path : sample->path;
        if (test && sample) free(sample->path);
        if (test) test->path = NULL;
        if (sample) sample->path = NULL;
        memmove(mark, mark + sizeof train_mark - 1, strlen(mark) - (sizeof train_mark - 1) + 1);
    }
    size_t kept = 0;
    for (size_t i = 0; i < sources->count; i++) {
        wl_set_source source = sources->items[i];
        if (source.path)
            sources->items[kept++] = source;
        else
            free(source.name);
    }
    sources->count = kept;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

wl_status wl_set_sources_find(const char *const *paths, size_t count, const wl_sets_options *options,
                              wl_set_sources *sources, wl_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (add_path(sources, paths[i], options, error)) return error->code;
    pair_files(sources);
    return WL_OK;
}

void wl_set_sources_free(wl_set_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->items[i].name);
        free(sources->items[i].path);
        free(sources->items[i].test);
    }
    free(sources->items);
    *sources = (wl_set_sources){0};
}
