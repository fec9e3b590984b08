/* Cross-validation, in the folds that scikit-learn's StratifiedKFold makes: the items sorted by class are dealt out in
 * turns, which says how many of each class a fold gets; then a class gives its items away in their order, the first to
 * the first fold. Classes are sorted as they first appear. O(count + classes * folds). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "eval/logistic.h"

/* ---- folds ------------------------------------------------------------------------------------------------------- */

typedef struct share {
    size_t count;  /* items of the class */
    size_t begin;  /* where they begin among all, sorted; SIZE_MAX: not seen yet */
    uint32_t fold; /* that the next item goes to */
    size_t left;   /* how many it still takes */
} share;

/* Of the places [begin, begin + count), those that are dealt to a fold. */
static size_t count_dealt(const share *of, uint32_t folds, uint32_t fold)
{
    size_t before = (of->begin + folds - 1 - fold) / folds;
    return (of->begin + of->count + folds - 1 - fold) / folds - before;
}

static void deal(share *shares, const uint32_t *labels, size_t count, uint32_t folds, uint32_t *out)
{
    size_t sorted = 0;
    for (size_t i = 0; i < count; i++) {
        share *of = &shares[labels[i]];
        if (of->begin == SIZE_MAX) {
            of->begin = sorted;
            sorted += of->count;
            of->left = count_dealt(of, folds, 0);
        }
        while (!of->left) of->left = count_dealt(of, folds, ++of->fold);
        of->left--;
        out[i] = of->fold;
    }
}

wl_status wl_stratified_folds(const uint32_t *labels, size_t count, uint32_t classes, uint32_t folds, uint32_t *out,
                              wl_error *error)
{
    if (folds < 2) return wl_fail(error, WL_ERROR_ARGUMENT, "%" PRIu32 " folds, expected at least 2", folds);
    share *shares = wl_allocate(classes, sizeof *shares, error);
    if (!shares) return error->code;
    size_t most = 0;
    for (uint32_t i = 0; i < classes; i++) shares[i].begin = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        share *of = &shares[labels[i]];
        if (++of->count > most) most = of->count;
    }
    wl_status status = WL_OK;
    if (folds > most)
        status =
            wl_fail(error, WL_ERROR_ARGUMENT, "%" PRIu32 " folds, but no class has more than %zu items", folds, most);
    else
        deal(shares, labels, count, folds, out);
    free(shares);
    return status;
}

/* ---- cross-validation -------------------------------------------------------------------------------------------- */

typedef struct validation {
    wl_pool *pool;
    const float *x;
    const uint32_t *labels;
    size_t count, dim;
    uint32_t classes;
    const wl_logistic_options *options;
    uint32_t *folds;   /* (count) */
    float *rows;       /* (count, dim), those of a part of the items, one behind the other */
    uint32_t *numbers; /* (count), labels of that part, or what is said of it */
    uint32_t *present; /* (classes), the classes among it */
    uint32_t *places;  /* (classes), where a class is in present */
} validation;

/* Copies the rows that are in the fold, or those that are not, and returns how many they are. */
static size_t gather(validation *this, uint32_t fold, bool inside)
{
    size_t count = 0;
    for (size_t i = 0; i < this->count; i++)
        if ((this->folds[i] == fold) == inside) {
            memcpy(this->rows + count * this->dim, this->x + i * this->dim, this->dim * sizeof *this->rows);
            this->numbers[count++] = this->labels[i];
        }
    return count;
}

/* Numbers the classes of the first items from 0, in their order, without those that are missing. */
static uint32_t renumber(validation *this, size_t count)
{
    uint32_t found = 0;
    memset(this->places, 0, this->classes * sizeof *this->places);
    for (size_t i = 0; i < count; i++) this->places[this->numbers[i]] = 1;
    for (uint32_t i = 0; i < this->classes; i++) {
        if (!this->places[i]) continue;
        this->present[found] = i;
        this->places[i] = found++;
    }
    for (size_t i = 0; i < count; i++) this->numbers[i] = this->places[this->numbers[i]];
    return found;
}

/* What a model of the other folds says of the items of one. */
static wl_status validate(validation *this, uint32_t fold, uint32_t *out, double *score, wl_error *error)
{
    wl_logistic model = {0};
    size_t count = gather(this, fold, false), right = 0, next = 0;
    uint32_t classes = renumber(this, count);
    wl_status status = WL_OK;
    if (classes > 1)
        status = wl_logistic_fit(this->pool, this->rows, this->numbers, count, this->dim, classes, this->options,
                                 &model, error);
    count = gather(this, fold, true);
    if (classes == 1)
        memset(this->numbers, 0, count * sizeof *this->numbers);
    else if (!status)
        status = wl_logistic_predict(this->pool, &model, this->rows, count, this->numbers, error);
    wl_logistic_free(&model);
    if (status) return status;
    for (size_t i = 0; i < this->count; i++) {
        if (this->folds[i] != fold) continue;
        out[i] = this->present[this->numbers[next++]];
        right += out[i] == this->labels[i];
    }
    *score = (double)right / (double)count;
    return WL_OK;
}

static wl_status validation_open(validation *this, wl_error *error)
{
    this->folds = wl_allocate(this->count, sizeof *this->folds, error);
    if (this->folds) this->rows = wl_allocate(this->count, this->dim * sizeof *this->rows, error);
    if (this->rows) this->numbers = wl_allocate(this->count, sizeof *this->numbers, error);
    if (this->numbers) this->present = wl_allocate(this->classes, sizeof *this->present, error);
    if (this->present) this->places = wl_allocate(this->classes, sizeof *this->places, error);
    return this->places ? WL_OK : WL_ERROR_MEMORY;
}

wl_status wl_logistic_cross_validate(wl_pool *pool, const float *x, const uint32_t *labels, size_t count, size_t dim,
                                     uint32_t classes, uint32_t folds, const wl_logistic_options *options,
                                     uint32_t *out, double *scores, wl_error *error)
{
    validation this = {pool, x, labels, count, dim, classes, options, NULL, NULL, NULL, NULL, NULL};
    wl_status status = validation_open(&this, error);
    if (!status) status = wl_stratified_folds(labels, count, classes, folds, this.folds, error);
    for (uint32_t fold = 0; fold < folds && !status; fold++) {
        double score;
        status = validate(&this, fold, out, &score, error);
        if (!status && scores) scores[fold] = score;
    }
    free(this.folds);
    free(this.rows);
    free(this.numbers);
    free(this.present);
    free(this.places);
    return status;
}
