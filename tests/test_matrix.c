/* The room matrix/: products and decompositions against plain loops, and the same bits for any number of threads. */
#include <math.h>

#include "fault.h"
#include "matrix/matrix.h"
#include "test.h"

extern int openblas_get_num_threads(void);
extern void openblas_set_num_threads(int threads);

static uint64_t state = 1;

static float random_number(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(state >> 40) / 8388608 - 1;
}

static float *random_matrix(size_t count)
{
    float *numbers = malloc(count * sizeof *numbers);
    for (size_t i = 0; numbers && i < count; i++) numbers[i] = random_number();
    return numbers;
}

static wl_pool *new_pool(uint32_t threads)
{
    wl_error error;
    wl_pool *pool = wl_pool_create(threads, &error);
    if (!pool) exit(EXIT_FAILURE);
    return pool;
}

static double element(wl_side side, size_t row, size_t column)
{
    return (double)(side.transposed ? side.data[column * side.stride + row] : side.data[row * side.stride + column]);
}

typedef struct shape {
    size_t m, n, k;
    bool a_transposed, b_transposed;
    float alpha, beta;
} shape;

static void check_product(wl_pool *pool, const shape *of)
{
    size_t m = of->m, n = of->n, k = of->k, c_stride = n + 3;
    size_t a_stride = (of->a_transposed ? m : k) + 5, b_stride = (of->b_transposed ? k : n) + 2;
    float *a = random_matrix(a_stride * (of->a_transposed ? k : m));
    float *b = random_matrix(b_stride * (of->b_transposed ? n : k));
    float *c = random_matrix(c_stride * m), *before = malloc(c_stride * m * sizeof *before);
    for (size_t i = 0; i < m && of->beta == 0; i++) c[i * c_stride] = NAN;
    memcpy(before, c, c_stride * m * sizeof *c);
    wl_side left = {a, a_stride, of->a_transposed}, right = {b, b_stride, of->b_transposed};
    wl_multiply(pool, m, n, k, of->alpha, left, right, of->beta, c, c_stride);
    double worst = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < c_stride; j++) {
            double expected = (double)before[i * c_stride + j];
            if (j < n) {
                expected = of->beta == 0 ? 0 : (double)of->beta * expected;
                for (size_t l = 0; l < k; l++)
                    expected += (double)of->alpha * element(left, i, l) * element(right, l, j);
            }
            worst = fmax(worst, fabs(expected - (double)c[i * c_stride + j]));
        }
    CHECK_THAT(worst <= 1e-6 * (double)(k + 4), "%zu x %zu x %zu: %g", m, n, k, worst);
    free(a);
    free(b);
    free(c);
    free(before);
}

static void test_products(void)
{
    static const shape shapes[] = {
        {1, 1, 1, false, false, 1, 0},       {3, 5, 7, false, true, 1, 0},       {130, 17, 33, true, false, 2, 0.5f},
        {129, 257, 64, true, true, 1, 1},    {300, 530, 20, false, true, -1, 1}, {1, 600, 40, false, false, 1, 0},
        {600, 1, 40, false, true, 0.5f, -1}, {256, 256, 1, true, false, 1, 0},   {5, 5, 0, false, false, 1, 0.5f},
    };
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        wl_pool *pool = new_pool(threads);
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_product(pool, &shapes[i]);
        wl_pool_free(pool);
    }
}

/* Every number of threads gives the bits of one. */
static void test_threads(void)
{
    enum { M = 300, N = 290, K = 200 };
    float *a = random_matrix((size_t)M * K), *b = random_matrix((size_t)K * N);
    float *one = calloc((size_t)M * N, sizeof *one), *many = calloc((size_t)M * N, sizeof *many);
    double *wide = malloc((size_t)M * K * sizeof *wide);
    double *gram = calloc((size_t)K * K, sizeof *gram), *other = calloc((size_t)K * K, sizeof *other);
    for (uint32_t threads = 1; threads <= 5; threads++) {
        wl_pool *pool = new_pool(threads);
        memset(other, 0, (size_t)K * K * sizeof *other);
        wl_multiply(pool, M, N, K, 1, (wl_side){a, K, false}, (wl_side){b, N, false}, 0, threads == 1 ? one : many, N);
        wl_gram_add(pool, a, M, K, wide, threads == 1 ? gram : other);
        if (threads > 1) CHECK(memcmp(one, many, (size_t)M * N * sizeof *one) == 0);
        if (threads > 1) CHECK(memcmp(gram, other, (size_t)K * K * sizeof *gram) == 0);
        wl_pool_free(pool);
    }
    double worst = 0;
    for (size_t i = 0; i < K; i++)
        for (size_t j = i; j < K; j++) {
            double sum = 0;
            for (size_t row = 0; row < M; row++) sum += (double)a[row * K + i] * (double)a[row * K + j];
            worst = fmax(worst, fabs(sum - gram[i * K + j]));
        }
    CHECK_THAT(worst < 1e-11, "%g", worst);
    free(a);
    free(b);
    free(one);
    free(many);
    free(wide);
    free(gram);
    free(other);
}

static void check_eigen(size_t n)
{
    double *matrix = malloc(n * n * sizeof *matrix), *vectors = malloc(n * n * sizeof *vectors);
    double *values = malloc(n * sizeof *values), residual = 0, apart = 0;
    wl_error error = {0};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            matrix[i * n + j] = matrix[j * n + i] = (double)random_number();
            vectors[j * n + i] = matrix[j * n + i];
            if (j < i) vectors[i * n + j] = NAN; /* only the upper triangle is read */
        }
    CHECK(wl_eigen(vectors, n, values, &error) == WL_OK);
    for (size_t i = 0; i < n; i++) {
        if (i) CHECK(values[i] <= values[i - 1]);
        for (size_t j = 0; j < n; j++) {
            double product = 0, dot = 0;
            for (size_t l = 0; l < n; l++) {
                product += matrix[j * n + l] * vectors[i * n + l];
                dot += vectors[i * n + l] * vectors[j * n + l];
            }
            residual = fmax(residual, fabs(product - values[i] * vectors[i * n + j]));
            apart = fmax(apart, fabs(dot - (i == j)));
        }
    }
    CHECK_THAT(residual < 1e-12 * (double)n && apart < 1e-12 * (double)n, "n = %zu: %g, %g", n, residual, apart);
    free(matrix);
    free(vectors);
    free(values);
}

static void test_eigen(void)
{
    static const size_t sizes[] = {1, 2, 3, 40, 150};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) check_eigen(sizes[i]);
    double bad[] = {1, NAN, 0, 1}, values[2];
    wl_error error = {0};
    CHECK(wl_eigen(bad, 2, values, &error) == WL_ERROR_ARGUMENT && error.code == WL_ERROR_ARGUMENT);
}

/* Orthonormal columns, of which the given ones are sums. dependent: the last column is the first. */
static void check_orthonormal(size_t rows, size_t count, bool dependent)
{
    float *columns = random_matrix(rows * count), *given = malloc(rows * count * sizeof *given);
    wl_error error = {0};
    for (size_t i = 0; i < rows && dependent; i++) columns[i * count + count - 1] = columns[i * count];
    memcpy(given, columns, rows * count * sizeof *given);
    CHECK(wl_orthonormalize(columns, rows, count, &error) == WL_OK);
    double apart = 0, left = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            double dot = 0;
            for (size_t row = 0; row < rows; row++)
                dot += (double)columns[row * count + i] * (double)columns[row * count + j];
            apart = fmax(apart, fabs(dot - (i == j)));
        }
        double *rest = malloc(rows * sizeof *rest);
        for (size_t row = 0; row < rows; row++) rest[row] = (double)given[row * count + i];
        for (size_t j = 0; j < count; j++) {
            double dot = 0;
            for (size_t row = 0; row < rows; row++)
                dot += (double)columns[row * count + j] * (double)given[row * count + i];
            for (size_t row = 0; row < rows; row++) rest[row] -= dot * (double)columns[row * count + j];
        }
        for (size_t row = 0; row < rows; row++) left = fmax(left, fabs(rest[row]));
        free(rest);
    }
    CHECK_THAT(apart < 1e-6 && left < 1e-5, "%zu x %zu: %g, %g", rows, count, apart, left);
    free(columns);
    free(given);
}

static void test_orthonormal(void)
{
    check_orthonormal(1, 1, false);
    check_orthonormal(50, 7, false);
    check_orthonormal(50, 7, true);
    check_orthonormal(20, 20, false);
    check_orthonormal(300, 64, false);
}

/* The process's number of threads is what it was. */
static void test_setting(void)
{
    wl_pool *pool = new_pool(2);
    float a[4] = {1, 2, 3, 4}, c[4];
    for (int threads = 1; threads <= 3; threads += 2) {
        openblas_set_num_threads(threads);
        int found = openblas_get_num_threads();
        wl_multiply(pool, 2, 2, 2, 1, (wl_side){a, 2, false}, (wl_side){a, 2, false}, 0, c, 2);
        CHECK(openblas_get_num_threads() == found);
        CHECK(c[0] == 7 && c[1] == 10 && c[2] == 15 && c[3] == 22);
    }
    wl_pool_free(pool);
}

static void test_faults(void)
{
    if (!fault_available()) {
        SKIP("failing allocations: linked without --wrap");
        return;
    }
    for (size_t nth = 1;; nth++) {
        double matrix[] = {2, 1, 0, 2}, values[2];
        float columns[] = {1, 2, 3, 4, 5, 6};
        wl_error error = {0};
        fault_begin(nth);
        wl_status status = wl_eigen(matrix, 2, values, &error);
        if (!status) status = wl_orthonormalize(columns, 3, 2, &error);
        if (!fault_end()) {
            CHECK(status == WL_OK && nth == 6);
            break;
        }
        CHECK(status == WL_ERROR_MEMORY && error.code == WL_ERROR_MEMORY);
    }
}

int main(void)
{
    test_products();
    test_threads();
    test_eigen();
    test_orthonormal();
    test_setting();
    test_faults();
    return test_end();
}
