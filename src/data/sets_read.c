#include "data/sets_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_FIELDS = 3, /* texts of a record */
    MOST_PARTS = 64, /* values of the field "split" */
    MOST_PART = 64,  /* bytes of one */
};

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* The names that a field is known by. */
static const char *const first_text[] = {"text1", "sentence1", "sent1", NULL};
static const char *const second_text[] = {"text2", "sentence2", "sent2", NULL};
static const char *const anchor[] = {"anchor", NULL};
static const char *const positive[] = {"positive", NULL};
static const char *const negative[] = {"negative", NULL};
static const char *const single_text[] = {"text", "sentence", NULL};
static const char *const score[] = {"score", "similarity_score", "relatedness_score", NULL};
static const char *const label[] = {"label", "label_text", NULL};
static const char *const split[] = {"split", NULL};

typedef enum value_kind { NO_VALUE, SCORE, TOGETHER, CLASS } value_kind;

/* What the records of a task hold. */
typedef struct task_form {
    const char *const *texts[MOST_FIELDS]; /* NULL behind the last one */
    const char *const *value;              /* NULL: none */
    value_kind kind;
    wl_task task;
} task_form;

/* The first one that a record fits is the task that it tells. */
static const task_form forms[] = {
    {{first_text, second_text}, score, SCORE, WL_TASK_SIMILARITY},
    {{first_text, second_text}, label, TOGETHER, WL_TASK_PAIR},
    {{anchor, positive, negative}, NULL, NO_VALUE, WL_TASK_TRIPLET},
    {{single_text}, label, CLASS, WL_TASK_CLASSIFICATION},
    {{single_text}, label, CLASS, WL_TASK_CLUSTERING},
};

enum { FORMS = sizeof forms / sizeof *forms };

static const task_form *form_of(wl_task task)
{
    size_t i = 0;
    while (i + 1 < FORMS && forms[i].task != task) i++;
    return &forms[i];
}

bool wl_set_task(const wl_records *records, wl_task *task)
{
    for (size_t i = 0; i < FORMS; i++) {
        bool fits = !forms[i].value || wl_records_find(records, forms[i].value);
        for (size_t j = 0; j < MOST_FIELDS && forms[i].texts[j]; j++)
            fits = fits && wl_records_find(records, forms[i].texts[j]);
        if (!fits) continue;
        *task = forms[i].task;
        return true;
    }
    return false;
}

/* ---- parts of a set ---------------------------------------------------------------------------------------------- */

wl_status wl_slices_add(wl_slices *slices, wl_slice slice, wl_error *error)
{
    if (slices->count >= UINT32_MAX - 1)
        return wl_fail(error, WL_ERROR_LIMIT, "a set may have %lu texts", (unsigned long)UINT32_MAX - 1);
    void *items = slices->items;
    wl_status status = wl_reserve(&items, &slices->capacity, slices->count + 1, sizeof slice, error);
    slices->items = items;
    if (!status) slices->items[slices->count++] = slice;
    return status;
}

wl_status wl_slices_append(wl_slices *slices, wl_text text, wl_buffer *bytes, wl_error *error)
{
    wl_slice slice = {bytes->size, text.size};
    return wl_slices_add(slices, slice, error) ? error->code : wl_buffer_append(bytes, text.data, text.size, error);
}

wl_text *wl_slices_texts(const wl_slices *slices, const char *bytes, wl_error *error)
{
    wl_text *texts = wl_allocate(slices->count, sizeof *texts, error);
    for (size_t i = 0; texts && i < slices->count; i++)
        texts[i] = (wl_text){bytes + slices->items[i].at, slices->items[i].size};
    return texts;
}

wl_set *wl_sets_add(wl_sets *sets, const wl_set_source *source, const char *part, wl_error *error)
{
    void *items = sets->sets;
    wl_status status = wl_reserve(&items, &sets->capacity, sets->count + 1, sizeof *sets->sets, error);
    sets->sets = items;
    if (status) return NULL;
    wl_set *set = &sets->sets[sets->count++];
    *set = (wl_set){.task = source->group->task};
    size_t size = strlen(source->name) + (part ? strlen(part) + 1 : 0) + 1;
    set->name = wl_allocate(size, 1, error);
    if (set->name) snprintf(set->name, size, "%s%s%s", source->name, part ? "-" : "", part ? part : "");
    if (set->name) set->group = wl_copy_text(source->group->name, strlen(source->group->name), error);
    if (set->group) set->path = wl_copy_text(source->path, strlen(source->path), error);
    if (set->path && part) set->part = wl_copy_text(part, strlen(part), error);
    return set->path && (!part || set->part) ? set : NULL;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* A set that grows. */
typedef struct draft {
    char *part; /* NULL: the records have no field "split" */
    wl_buffer bytes;
    wl_slices texts, labels;
    double *numbers;
    size_t number_capacity;
    size_t records, train; /* all; those that are fitted to, where the others are scored; else 0 */
} draft;

typedef struct drafts {
    draft *items;
    size_t count, capacity;
} drafts;

static void free_draft(draft *of)
{
    free(of->part);
    wl_buffer_free(&of->bytes);
    free(of->texts.items);
    free(of->labels.items);
    free(of->numbers);
}

static void free_drafts(drafts *all)
{
    for (size_t i = 0; i < all->count; i++) free_draft(&all->items[i]);
    free(all->items);
}

static draft *add_draft(drafts *all, char *part, wl_error *error)
{
    void *items = all->items;
    wl_status status = wl_reserve(&items, &all->capacity, all->count + 1, sizeof *all->items, error);
    all->items = items;
    if (status) return NULL;
    all->items[all->count] = (draft){.part = part};
    return &all->items[all->count++];
}

/* The set that a record belongs to; whole: all belong to one. NULL on failure. */
static draft *find_draft(const wl_records *records, bool whole, drafts *all, wl_error *error)
{
    wl_text part = {"", 0};
    bool divided = !whole && wl_records_find(records, split);
    if (divided && wl_records_text(records, split, &part, error)) return NULL;
    for (size_t i = 0; i < part.size; i++)
        if ((unsigned char)part.data[i] < ' ' || part.size > MOST_PART)
            return wl_records_fail(records, error, "the field \"split\" is no short name"), NULL;
    if (all->count && divided != (all->items[0].part != NULL))
        return wl_records_fail(records, error, "some records have a field \"split\", and others have none"), NULL;
    for (size_t i = 0; i < all->count; i++)
        if (!divided || wl_text_is(part, all->items[i].part)) return &all->items[i];
    if (all->count == MOST_PARTS)
        return wl_records_fail(records, error, "the field \"split\" has more than %d values", MOST_PARTS), NULL;
    if (!divided) return add_draft(all, NULL, error);
    char *copy = wl_copy_text(part.data, part.size, error);
    draft *added = copy ? add_draft(all, copy, error) : NULL;
    if (!added) free(copy);
    return added;
}

static wl_status take_number(const wl_records *records, const task_form *form, draft *set, wl_error *error)
{
    const wl_field *field = wl_records_find(records, form->value);
    double number = 0;
    if (form->kind == TOGETHER && field && field->kind == WL_JSON_BOOLEAN)
        number = *field->text.data == 't';
    else if (wl_records_number(records, form->value, &number, error))
        return error->code;
    if (form->kind == TOGETHER && number != 0 && number != 1)
        return wl_records_fail(records, error, "the label of a pair is %g, expected 0 or 1", number);
    void *numbers = set->numbers;
    wl_status status = wl_reserve(&numbers, &set->number_capacity, set->records + 1, sizeof number, error);
    set->numbers = numbers;
    if (!status) set->numbers[set->records] = number;
    return status;
}

static wl_status take_label(const wl_records *records, const task_form *form, draft *set, wl_error *error)
{
    wl_text value;
    if (wl_records_label(records, form->value, &value, error)) return error->code;
    return wl_slices_append(&set->labels, value, &set->bytes, error);
}

static wl_status take_record(const wl_records *records, const task_form *form, draft *set, wl_error *error)
{
    for (size_t i = 0; i < MOST_FIELDS && form->texts[i]; i++) {
        wl_text value;
        if (wl_records_text(records, form->texts[i], &value, error) ||
            wl_slices_append(&set->texts, value, &set->bytes, error))
            return error->code;
    }
    wl_status status = form->kind == NO_VALUE ? WL_OK
                       : form->kind == CLASS  ? take_label(records, form, set, error)
                                              : take_number(records, form, set, error);
    if (!status) set->records++;
    return status;
}

static wl_status read_file(const char *path, const task_form *form, bool whole, drafts *all, wl_error *error)
{
    wl_records records;
    int got = wl_records_open(&records, path, error) ? -1 : 1;
    while (got > 0 && (got = wl_records_next(&records, error)) > 0) {
        draft *set = find_draft(&records, whole, all, error);
        if (!set || take_record(&records, form, set, error)) got = -1;
    }
    if (got == 0 && records.record == 0)
        got = -1, wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "holds no records");
    wl_records_close(&records);
    return got < 0 ? error->code : WL_OK;
}

/* ---- from drafts to sets ----------------------------------------------------------------------------------------- */

typedef struct named_item {
    wl_text name;
    size_t item;
} named_item;

static int compare_items(const void *a, const void *b)
{
    const wl_text *x = &((const named_item *)a)->name, *y = &((const named_item *)b)->name;
    int order = memcmp(x->data, y->data, x->size < y->size ? x->size : y->size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* Numbers the labels in the order of their bytes. names: all of them, sorted here. */
static wl_status number_labels(named_item *names, size_t count, wl_set *set, wl_error *error)
{
    if (count > 1) qsort(names, count, sizeof *names, compare_items);
    set->labels = wl_allocate(count, sizeof *set->labels, error);
    set->label_names = set->labels ? wl_allocate(count, sizeof *set->label_names, error) : NULL;
    if (!set->label_names) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_items(&names[i - 1], &names[i]) != 0)
            set->label_names[set->label_count++] = names[i].name;
        set->labels[names[i].item] = set->label_count - 1;
    }
    return WL_OK;
}

static wl_status take_labels(const wl_slices *labels, wl_set *set, wl_error *error)
{
    named_item *names = wl_allocate(labels->count, sizeof *names, error);
    for (size_t i = 0; names && i < labels->count; i++)
        names[i] = (named_item){{set->bytes + labels->items[i].at, labels->items[i].size}, i};
    wl_status status = names ? number_labels(names, labels->count, set, error) : WL_ERROR_MEMORY;
    free(names);
    return status;
}

static bool numbers_differ(const double *numbers, size_t count)
{
    size_t i = 1;
    while (i < count && numbers[i] == numbers[0]) i++;
    return i < count;
}

static bool labels_differ(const uint32_t *labels, size_t count)
{
    size_t i = 1;
    while (i < count && labels[i] == labels[0]) i++;
    return i < count;
}

/* What no score can be taken of. */
static wl_status check_set(const wl_set *set, const task_form *form, wl_error *error)
{
    const char *wrong = NULL;
    if (form->kind == SCORE && set->items < 2)
        wrong = "holds a single pair, and a correlation takes two";
    else if (form->kind == SCORE && !numbers_differ(set->numbers, set->items))
        wrong = "holds scores that are all equal";
    else if (form->kind == TOGETHER && !numbers_differ(set->numbers, set->items))
        wrong = "holds pairs of one label only, expected 0 and 1";
    else if (form->kind == CLASS && !labels_differ(set->labels, set->train_count ? set->train_count : set->items))
        wrong = "holds labels of one class only";
    if (!wrong) return WL_OK;
    return wl_fail_at(error, WL_ERROR_FORMAT, set->path, WL_NO_POSITION, 0, "%s%s%s", wrong,
                      set->part ? ", where split is " : "", set->part ? set->part : "");
}

static wl_status finish_draft(const wl_set_source *source, const task_form *form, draft *from, wl_sets *sets,
                              wl_error *error)
{
    wl_set *set = wl_sets_add(sets, source, from->part, error);
    if (!set) return WL_ERROR_MEMORY;
    set->bytes = from->bytes.data;
    set->numbers = from->numbers;
    from->bytes = (wl_buffer){0};
    from->numbers = NULL;
    set->text_count = from->texts.count;
    set->texts = wl_slices_texts(&from->texts, set->bytes, error);
    if (!set->texts || (form->kind == CLASS && take_labels(&from->labels, set, error))) return error->code;
    bool fitted = form->task == WL_TASK_CLASSIFICATION;
    set->train_count = from->train ? from->train : fitted ? from->records : 0;
    set->items = from->records - from->train;
    return check_set(set, form, error);
}

static draft *find_part(const drafts *all, const char *part)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].part && strcmp(all->items[i].part, part) == 0) return &all->items[i];
    return NULL;
}

/* Appends the slices of a text that was put behind others. */
static wl_status move_slices(wl_slices *to, const wl_slices *from, size_t offset, wl_error *error)
{
    for (size_t i = 0; i < from->count; i++) {
        wl_slice slice = {from->items[i].at + offset, from->items[i].size};
        if (wl_slices_add(to, slice, error)) return error->code;
    }
    return WL_OK;
}

/* Of a classification in one file the part "train" is fitted to and "test" scored, and other parts do not count. */
static wl_status join_parts(drafts *all, wl_error *error)
{
    draft *train = find_part(all, "train"), *test = find_part(all, "test");
    if (!train || !test) return WL_OK;
    size_t offset = train->bytes.size;
    if (wl_buffer_append(&train->bytes, test->bytes.data, test->bytes.size, error) ||
        move_slices(&train->texts, &test->texts, offset, error) ||
        move_slices(&train->labels, &test->labels, offset, error))
        return error->code;
    train->train = train->records;
    train->records += test->records;
    free(train->part);
    train->part = NULL;
    draft kept = all->items[0];
    all->items[0] = *train;
    *train = kept;
    for (size_t i = 1; i < all->count; i++) free_draft(&all->items[i]);
    all->count = 1;
    return WL_OK;
}

wl_status wl_set_read(const wl_set_source *source, const wl_sets_options *options, wl_sets *sets, wl_error *error)
{
    if (source->group->task == WL_TASK_RETRIEVAL) return wl_set_read_retrieval(source, options, sets, error);
    const task_form *form = form_of(source->group->task);
    bool whole = source->test != NULL;
    drafts all = {0};
    wl_status status = read_file(source->path, form, whole, &all, error);
    if (!status && whole) {
        for (size_t i = 0; i < all.count; i++) all.items[i].train = all.items[i].records;
        status = read_file(source->test, form, whole, &all, error);
    }
    if (!status && !whole && form->task == WL_TASK_CLASSIFICATION) status = join_parts(&all, error);
    for (size_t i = 0; i < all.count && !status; i++) status = finish_draft(source, form, &all.items[i], sets, error);
    free_drafts(&all);
    return status;
}
