#include "data/sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/sets_read.h"

static const char *const metrics[] = {
    [WL_TASK_SIMILARITY] = "Spearman",    [WL_TASK_CLASSIFICATION] = "accuracy", [WL_TASK_CLUSTERING] = "V-measure",
    [WL_TASK_PAIR] = "average precision", [WL_TASK_RETRIEVAL] = "nDCG@10",       [WL_TASK_TRIPLET] = "accuracy",
};

static void free_set(wl_set *set)
{
    free(set->group);
    free(set->name);
    free(set->path);
    free(set->part);
    free(set->texts);
    free(set->numbers);
    free(set->labels);
    free(set->label_names);
    free(set->titles);
    free(set->bodies);
    free(set->judgements);
    free(set->bytes);
}

void wl_sets_close(wl_sets *sets)
{
    if (!sets) return;
    for (size_t i = 0; i < sets->count; i++) free_set(&sets->sets[i]);
    free(sets->sets);
    free(sets);
}

/* ---- only -------------------------------------------------------------------------------------------------------- */

/* Whether a set is one that the caller names: by its group, its name, or GROUP/NAME. */
static bool is_named(const char *only, const char *group, const char *name)
{
    size_t size = strlen(group);
    if (strncmp(only, group, size) == 0 && only[size] == '/') only += size + 1;
    return strcmp(only, group) == 0 || strcmp(only, name) == 0;
}

static bool is_wanted(const wl_sets_options *options, const char *group, const char *name)
{
    bool wanted = !options->only_count;
    for (size_t i = 0; i < options->only_count; i++) wanted |= is_named(options->only[i], group, name);
    return wanted;
}

/* Whether a source may hold a wanted set: one of several has a longer name than the source. */
static bool may_be_wanted(const wl_sets_options *options, const wl_set_source *source)
{
    size_t size = strlen(source->name);
    bool wanted = is_wanted(options, source->group->name, source->name);
    for (size_t i = 0; i < options->only_count; i++) {
        const char *only = options->only[i], *slash = strchr(only, '/');
        if (slash) only = slash + 1;
        wanted |= strncmp(only, source->name, size) == 0 && only[size] == '-';
    }
    return wanted;
}

static void drop_unwanted(wl_sets *sets, const wl_sets_options *options)
{
    size_t kept = 0;
    for (size_t i = 0; i < sets->count; i++) {
        wl_set set = sets->sets[i];
        if (!is_wanted(options, set.group, set.name)) continue;
        sets->sets[i] = sets->sets[kept];
        sets->sets[kept++] = set;
    }
    while (sets->count > kept) free_set(&sets->sets[--sets->count]);
}

/* Every name that the caller gave must be that of a set. */
static wl_status check_named(const wl_sets *sets, const wl_set_sources *sources, const wl_sets_options *options,
                             wl_error *error)
{
    for (size_t i = 0; i < options->only_count; i++) {
        bool found = false;
        for (size_t j = 0; j < sets->count; j++)
            found |= is_named(options->only[i], sets->sets[j].group, sets->sets[j].name);
        if (found) continue;
        char list[sizeof error->message] = "";
        for (size_t j = 0, size = 0; j < sources->count && size < sizeof list; j++)
            size += (size_t)snprintf(list + size, sizeof list - size, "%s%s/%s", j ? ", " : "",
                                     sources->items[j].group->name, sources->items[j].name);
        return wl_fail(error, WL_ERROR_NOT_FOUND, "there is no set or group '%.100s', but %s", options->only[i], list);
    }
    return WL_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static size_t group_place(const wl_set *set)
{
    size_t i = 0;
    while (i < WL_GROUPS && strcmp(wl_groups[i].name, set->group) != 0) i++;
    return i;
}

static int compare_sets(const void *a, const void *b)
{
    size_t x = group_place(a), y = group_place(b);
    return x != y ? (x > y) - (x < y) : strcmp(((const wl_set *)a)->name, ((const wl_set *)b)->name);
}

static wl_status sort_sets(wl_sets *sets, wl_error *error)
{
    if (sets->count > 1) qsort(sets->sets, sets->count, sizeof *sets->sets, compare_sets);
    for (size_t i = 1; i < sets->count; i++) {
        const wl_set *set = &sets->sets[i];
        if (compare_sets(set - 1, set) == 0)
            return wl_fail_at(error, WL_ERROR_ARGUMENT, set->path, WL_NO_POSITION, 0,
                              "is a second set %s/%s; the first is %.300s", set->group, set->name, set[-1].path);
    }
    return WL_OK;
}

static wl_status open_sets(wl_sets *sets, const char *const *paths, size_t count, const wl_sets_options *options,
                           wl_error *error)
{
    wl_set_sources sources = {0};
    wl_status status = wl_set_sources_find(paths, count, options, &sources, error);
    for (size_t i = 0; i < sources.count && !status; i++)
        if (may_be_wanted(options, &sources.items[i])) status = wl_set_read(&sources.items[i], options, sets, error);
    if (!status) drop_unwanted(sets, options);
    if (!status) status = check_named(sets, &sources, options, error);
    if (!status) status = sort_sets(sets, error);
    wl_set_sources_free(&sources);
    return status;
}

wl_sets *wl_sets_open(const char *const *paths, size_t count, const wl_sets_options *options, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_sets_options chosen;
    if (wl_read_options(&chosen, sizeof chosen, options, "wl_sets_options", error)) return NULL;
    bool given = paths && count;
    for (size_t i = 0; i < count && given; i++) given = paths[i] != NULL;
    for (size_t i = 0; i < chosen.only_count && given; i++) given = chosen.only && chosen.only[i];
    if (!given) return wl_fail(error, WL_ERROR_ARGUMENT, "no path, or a path or name of a set is NULL"), NULL;
    wl_sets *sets = wl_allocate(1, sizeof *sets, error);
    if (sets && open_sets(sets, paths, count, &chosen, error)) {
        wl_sets_close(sets);
        return NULL;
    }
    return sets;
}

size_t wl_sets_count(const wl_sets *sets)
{
    return sets->count;
}

wl_set_info wl_sets_at(const wl_sets *sets, size_t index)
{
    if (index >= sets->count) return (wl_set_info){0};
    const wl_set *set = &sets->sets[index];
    return (wl_set_info){
        .task = set->task,
        .group = set->group,
        .name = set->name,
        .metric = metrics[set->task],
        .texts = set->text_count,
        .items = set->items,
    };
}
