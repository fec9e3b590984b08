/* TABLE: y is the mean of a text's rows, which are learned themselves. Slopes are sparse: each different token of the
 * batch has the slopes of the texts that hold it, summed in order of the texts.
 *
 * Cost: the gather forward, another of the texts' slopes backward; nothing goes over the whole table, but for a bit a
 * row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "matrix/matrix.h"
#include "train/projector_parts.h"

enum { TOKENS = 32, COLUMNS = 256, WORD = 64 }; /* of a work item */

static wl_status create(wl_projector *projector, wl_error *error)
{
    const wl_bag_table *start = &projector->table;
    size_t rows = start->rows, dim = projector->options.dim;
    wl_parameter *table = projector->rows = wl_projector_add(projector, "table", rows, dim, error);
    if (!table) return WL_ERROR_MEMORY;
    table->sparse = true;
    table->touched = wl_allocate(rows, sizeof *table->touched, error);
    projector->touched = table->touched ? wl_allocate(rows / WORD + 1, sizeof *projector->touched, error) : NULL;
    float *row = projector->touched ? wl_allocate(start->dim, sizeof *row, error) : NULL;
    if (!row) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < rows; i++) {
        uint32_t id = (uint32_t)i;
        wl_bag_table_rows(start, &id, 1, row);
        memcpy(table->values + i * dim, row, dim * sizeof *row);
    }
    free(row);
    return wl_token_index_create(&projector->index, rows, error);
}

static wl_status forward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, float *out, wl_error *error)
{
    (void)error;
    const wl_parameter *table = projector->rows;
    wl_bag_table values = {table->values, WL_F32, table->rows, table->columns};
    wl_bags_pool(pool, &values, bags, NULL, out);
    return WL_OK;
}

typedef struct row_work {
    const wl_token_index *index;
    const wl_parameter *table;
    const float *slopes; /* (texts, dim) */
} row_work;

static void add_rows(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const row_work *this = user;
    size_t dim = this->table->columns;
    for (size_t i = item * TOKENS; i < this->index->count && i < (item + 1) * TOKENS; i++)
        for (size_t column = 0; column < dim; column += COLUMNS) {
            size_t width = dim - column < COLUMNS ? dim - column : COLUMNS;
            float sum[COLUMNS], *row = this->table->slopes + this->index->tokens[i] * dim + column;
            wl_token_index_sum(this->index, i, this->slopes, dim, column, width, sum);
            for (size_t j = 0; j < width; j++) row[j] += sum[j];
        }
}

static void list_touched(wl_projector *projector)
{
    const wl_token_index *index = &projector->index;
    wl_parameter *table = projector->rows;
    for (size_t i = 0; i < index->count; i++)
        projector->touched[index->tokens[i] / WORD] |= UINT64_C(1) << index->tokens[i] % WORD;
    table->touched_count = 0;
    for (size_t word = 0; word <= table->rows / WORD; word++)
        for (uint64_t bits = projector->touched[word]; bits; bits &= bits - 1)
            table->touched[table->touched_count++] = (uint32_t)(word * WORD) + (uint32_t)__builtin_ctzll(bits);
}

static wl_status backward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, const float *slopes,
                          wl_error *error)
{
    if (wl_token_index_build(&projector->index, bags, error)) return error->code;
    row_work work = {&projector->index, projector->rows, slopes};
    wl_pool_run(pool, (projector->index.count + TOKENS - 1) / TOKENS, add_rows, &work);
    list_touched(projector);
    return WL_OK;
}

static void clear(wl_projector *projector)
{
    wl_parameter *table = projector->rows;
    for (size_t i = 0; i < table->touched_count; i++) {
        size_t row = table->touched[i];
        memset(table->slopes + row * table->columns, 0, table->columns * sizeof *table->slopes);
        projector->touched[row / WORD] = 0;
    }
    table->touched_count = 0;
}

const wl_projector_functions wl_projector_table = {create, forward, backward, clear};

void wl_projector_scale_rows(wl_projector *projector, double power)
{
    wl_parameter *table = projector->rows;
    for (size_t i = 0; table && i < table->rows; i++) {
        float *row = table->values + i * table->columns;
        double squares = 0;
        for (size_t j = 0; j < table->columns; j++) squares += (double)row[j] * (double)row[j];
        float factor = squares > 0 ? (float)pow(squares, power / 2) : 1;
        for (size_t j = 0; j < table->columns; j++) row[j] *= factor;
    }
}

/* Normal numbers by the method of Box and Muller (Annals of Mathematical Statistics 1958), made orthonormal: no
 * direction is likelier than another. */
static wl_status draw_rotation(wl_random *random, size_t size, float *out, wl_error *error)
{
    const double turn = 6.283185307179586;
    for (size_t i = 0; i < size * size; i++) {
        double length = sqrt(-2 * log(1 - wl_random_unit(random)));
        out[i] = (float)(length * cos(turn * wl_random_unit(random)));
    }
    return wl_orthonormalize(out, size, size, error);
}

/* Cosines over each of the dims stay as they are; signs become others. How well signs stand for numbers is a matter of
 * chance (random hyperplanes: Charikar, STOC 2002; orthogonal ones: Ji et al., NIPS 2012), so that several seeds give a
 * choice. Cost: 2 rows width operations a column. */
wl_status wl_projector_mix(wl_projector *projector, const uint32_t *dims, size_t count, uint64_t seed, wl_error *error)
{
    wl_parameter *table = projector->rows;
    if (!table) return WL_OK;
    size_t widest = 0, columns = table->columns;
    for (size_t i = count, begin = 0; i-- > 0; begin = dims[i])
        if (dims[i] - begin > widest) widest = dims[i] - begin;
    float *rotation = wl_allocate(widest * widest, sizeof *rotation, error);
    float *row = rotation ? wl_allocate(widest, sizeof *row, error) : NULL;
    wl_random random = wl_random_seed(seed, 0);
    wl_status status = row ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = count, begin = 0; i-- > 0 && !status; begin = dims[i]) {
        size_t width = dims[i] - begin;
        status = draw_rotation(&random, width, rotation, error);
        for (size_t r = 0; r < table->rows && !status; r++) {
            float *numbers = table->values + r * columns + begin;
            for (size_t j = 0; j < width; j++) {
                double sum = 0;
                for (size_t k = 0; k < width; k++) sum += (double)numbers[k] * (double)rotation[k * width + j];
                row[j] = (float)sum;
            }
            memcpy(numbers, row, width * sizeof *row);
        }
    }
    free(row);
    free(rotation);
    return status;
}
