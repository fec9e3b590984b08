/* Losses over scored pairs, targets and triplets: against sentence-transformers and PyTorch, against finite differences
 * of the definitions, and the same bits for any number of threads. */
#include <float.h>
#include <math.h>

#include "fault.h"
#include "test.h"
#include "train/losses.h"

static uint64_t state = 1;

static float random_number(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(state >> 40) / 8388608 - 1;
}

static wl_pool *new_pool(uint32_t threads)
{
    wl_error error;
    wl_pool *pool = wl_pool_create(threads, &error);
    if (!pool) exit(EXIT_FAILURE);
    return pool;
}

/* ---- problems ---------------------------------------------------------------------------------------------------- */

typedef enum kind { COSENT, ANGLE, SCORE, COSINE, SQUARED, SIMILARITIES, DISTRIBUTIONS, TRIPLET, KINDS } kind;

enum { MOST_INPUTS = 3 };

static const struct {
    const char *name;
    size_t inputs;
} kinds[KINDS] = {
    [COSENT] = {"cosent", 2},
    [ANGLE] = {"angle", 2},
    [SCORE] = {"score", 2},
    [COSINE] = {"target_cosine", 1},
    [SQUARED] = {"target_squared", 1},
    [SIMILARITIES] = {"target_similarities", 1},
    [DISTRIBUTIONS] = {"target_distributions", 1},
    [TRIPLET] = {"triplet", 3},
};

typedef struct problem {
    kind kind;
    bool signs; /* said of the inputs */
    size_t count, dim, target_dim;
    float scale; /* or temperature */
    uint32_t dims[8];
    float weights[8];
    size_t dim_count;
    float *inputs[MOST_INPUTS], *slopes[MOST_INPUTS]; /* (count, dim) */
    double *wide[MOST_INPUTS];                        /* the inputs once more */
    float *targets;                                   /* (count, target_dim); scores: (count, 1) */
} problem;

static void problem_free(problem *this)
{
    for (size_t i = 0; i < MOST_INPUTS; i++) {
        free(this->inputs[i]);
        free(this->slopes[i]);
        free(this->wide[i]);
    }
    free(this->targets);
}

/* kind, count, dim, target_dim and the number of dims are set. */
static void problem_allocate(problem *this)
{
    size_t size = this->count * this->dim;
    for (size_t i = 0; i < kinds[this->kind].inputs; i++) {
        this->inputs[i] = calloc(size + 1, sizeof(float));
        this->slopes[i] = calloc(size + 1, sizeof(float));
        this->wide[i] = calloc(size + 1, sizeof(double));
        if (!this->inputs[i] || !this->slopes[i] || !this->wide[i]) exit(EXIT_FAILURE);
    }
    this->targets = calloc(this->count * this->target_dim + 1, sizeof(float));
    if (!this->targets) exit(EXIT_FAILURE);
}

static void widen(problem *this)
{
    for (size_t i = 0; i < kinds[this->kind].inputs; i++)
        for (size_t j = 0; j < this->count * this->dim; j++) this->wide[i][j] = (double)this->inputs[i][j];
}

/* Rows that are a little like each other, and scores of six levels. */
static problem random_problem(kind of, size_t count, size_t dim, const uint32_t *dims, size_t dim_count)
{
    static const float weights[] = {1, 0.5f, 2, 0.75f};
    problem this = {.kind = of, .count = count, .dim = dim, .dim_count = dim_count};
    bool scored = of <= SCORE;
    this.target_dim = scored ? 1 : of == TRIPLET ? 0 : dim + 3;
    this.scale = scored ? 20 : 0.0625f;
    for (size_t i = 0; i < dim_count; i++) {
        this.dims[i] = dims[i];
        this.weights[i] = weights[i % 4];
    }
    problem_allocate(&this);
    for (size_t i = 0; i < count * dim; i++) this.inputs[0][i] = random_number() + 0.3f;
    for (size_t j = 1; j < kinds[of].inputs; j++)
        for (size_t i = 0; i < count * dim; i++) this.inputs[j][i] = this.inputs[0][i] + random_number();
    for (size_t i = 0; i < count * this.target_dim; i++)
        this.targets[i] = scored ? (float)(int)(3 * random_number() + 3) / 6 : random_number();
    widen(&this);
    return this;
}

static wl_status run(const problem *this, wl_pool *pool, float weight, double *loss, wl_error *error)
{
    static const wl_scored_kind scored[] = {
        [COSENT] = WL_SCORED_COSENT, [ANGLE] = WL_SCORED_ANGLE, [SCORE] = WL_SCORED_COSINE};
    static const wl_distill_kind distilled[] = {[COSINE] = WL_DISTILL_COSINE,
                                                [SQUARED] = WL_DISTILL_SQUARED,
                                                [SIMILARITIES] = WL_DISTILL_SIMILARITIES,
                                                [DISTRIBUTIONS] = WL_DISTILL_DISTRIBUTIONS};
    wl_nest nest = {this->dims, this->weights, this->dim_count};
    float *const *in = this->inputs, *const *out = this->slopes;
    if (this->kind == TRIPLET)
        return wl_triplet_loss(pool, in[0], in[1], in[2], this->signs, this->count, this->dim, &nest, this->scale,
                               weight, out[0], out[1], out[2], loss, error);
    if (this->kind <= SCORE)
        return wl_scored_loss(pool, scored[this->kind], in[0], in[1], this->targets, this->count, this->dim, &nest,
                              this->scale, weight, out[0], out[1], loss, error);
    return wl_distill_loss(pool, distilled[this->kind], in[0], this->signs, this->targets, this->count, this->dim,
                           this->target_dim, &nest, this->scale, weight, out[0], loss, error);
}

static void clear_slopes(problem *this)
{
    for (size_t i = 0; i < kinds[this->kind].inputs; i++)
        memset(this->slopes[i], 0, this->count * this->dim * sizeof(float));
}

/* ---- the definitions --------------------------------------------------------------------------------------------- */

static double safe_cosine(double dot, double aa, double bb)
{
    return aa == 0 || bb == 0 ? 0 : dot / sqrt(aa * bb);
}

static double wide_cosine(const double *a, const double *b, size_t dim)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < dim; i++) {
        ab += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    return safe_cosine(ab, aa, bb);
}

static double target_cosine(const float *a, const float *b, size_t dim)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < dim; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return safe_cosine(ab, aa, bb);
}

/* |real and imaginary part, added| of the quotient of two vectors of complex numbers, of which both halves are given.
 */
static double angle_similarity(const double *a, const double *b, size_t dim)
{
    double sum = 0, aa = 0, bb = 0;
    size_t half = (dim + 1) / 2;
    for (size_t i = 0; i < half; i++) {
        double x = a[i], y = half + i < dim ? a[half + i] : 0, u = b[i], v = half + i < dim ? b[half + i] : 0;
        sum += x * u + y * v + y * u - x * v;
        aa += x * x + y * y;
        bb += u * u + v * v;
    }
    return fabs(safe_cosine(sum, aa, bb));
}

static double rank_definition(const problem *this, size_t dim)
{
    size_t count = this->count, size = this->dim;
    double *similarities = calloc(count, sizeof *similarities), most = 0, sum;
    for (size_t i = 0; i < count; i++)
        similarities[i] = (double)this->scale * (this->kind == ANGLE ? angle_similarity : wide_cosine)(
                                                    this->wide[0] + i * size, this->wide[1] + i * size, dim);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            if (this->targets[i] < this->targets[j]) most = fmax(most, similarities[i] - similarities[j]);
    sum = exp(-most);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            if (this->targets[i] < this->targets[j]) sum += exp(similarities[i] - similarities[j] - most);
    free(similarities);
    return most + log(sum);
}

/* Of row i: its cosines, over a temperature, less the logarithm of the sum of their exponentials. */
static void take_logs(double *logits, size_t count, size_t own)
{
    double most = -INFINITY, sum = 0;
    for (size_t j = 0; j < count; j++)
        if (j != own) most = fmax(most, logits[j]);
    for (size_t j = 0; j < count; j++)
        if (j != own) sum += exp(logits[j] - most);
    for (size_t j = 0; j < count; j++) logits[j] -= most + log(sum);
}

static double pairs_definition(const problem *this, size_t dim)
{
    size_t count = this->count;
    double *h = calloc(2 * count, sizeof *h), *g = h + count, sum = 0;
    bool logs = this->kind == DISTRIBUTIONS;
    double factor = logs ? 1 / (double)this->scale : 1;
    for (size_t i = 0; i < count && count > 1; i++) {
        for (size_t j = 0; j < count; j++) {
            h[j] = factor * wide_cosine(this->wide[0] + i * this->dim, this->wide[0] + j * this->dim, dim);
            g[j] = factor * target_cosine(this->targets + i * this->target_dim, this->targets + j * this->target_dim,
                                          this->target_dim);
        }
        if (logs) take_logs(h, count, i);
        if (logs) take_logs(g, count, i);
        for (size_t j = 0; j < count; j++)
            if (j != i) sum += logs ? exp(g[j]) * (g[j] - h[j]) : (h[j] - g[j]) * (h[j] - g[j]) / (double)(count - 1);
    }
    free(h);
    return sum / (double)count;
}

/* The means of what each row has of its own. */
static double rows_definition(const problem *this, size_t dim)
{
    size_t most = this->target_dim && this->target_dim < dim ? this->target_dim : dim;
    double sum = 0;
    for (size_t i = 0; i < this->count; i++) {
        const double *a = this->wide[0] + i * this->dim, *b = this->wide[1] + i * this->dim;
        const float *target = this->targets + i * this->target_dim;
        double wide_target[64], square = 0;
        for (size_t k = 0; k < most && this->kind != SCORE; k++)
            wide_target[k] = this->target_dim ? (double)target[k] : 0;
        for (size_t k = 0; k < most && this->kind == SQUARED; k++)
            square += (a[k] - wide_target[k]) * (a[k] - wide_target[k]);
        double away = this->kind == SCORE ? wide_cosine(a, b, dim) - (double)*target : 0;
        if (this->kind == SCORE) sum += away * away;
        if (this->kind == SQUARED) sum += square / (double)most;
        if (this->kind == COSINE) sum += 1 - wide_cosine(a, wide_target, most);
        if (this->kind == TRIPLET)
            sum += log1p(exp((wide_cosine(a, this->wide[2] + i * this->dim, dim) - wide_cosine(a, b, dim)) /
                             (double)this->scale));
    }
    return sum / (double)this->count;
}

static double definition(const problem *this)
{
    double sum = 0;
    for (size_t i = 0; i < this->dim_count; i++) {
        size_t dim = this->dims[i];
        double loss = this->kind <= ANGLE                                         ? rank_definition(this, dim)
                      : this->kind == SIMILARITIES || this->kind == DISTRIBUTIONS ? pairs_definition(this, dim)
                                                                                  : rows_definition(this, dim);
        sum += (double)this->weights[i] * loss;
    }
    return sum;
}

/* ---- against PyTorch --------------------------------------------------------------------------------------------- */

static void read_floats(FILE *file, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fscanf(file, "%f", &out[i]) != 1) exit(EXIT_FAILURE);
}

static void check_case(FILE *file, problem *this, wl_pool *pool)
{
    size_t size = this->count * this->dim;
    float *expected = malloc(size * sizeof *expected);
    double loss, expected_loss;
    wl_error error;
    problem_allocate(this);
    for (size_t i = 0; i < this->dim_count; i++)
        if (fscanf(file, "%u %f", &this->dims[i], &this->weights[i]) != 2) exit(EXIT_FAILURE);
    for (size_t i = 0; i < kinds[this->kind].inputs; i++) read_floats(file, this->inputs[i], size);
    read_floats(file, this->targets, this->count * this->target_dim);
    if (!expected || fscanf(file, "%lf", &expected_loss) != 1) exit(EXIT_FAILURE);
    CHECK(run(this, pool, 1, &loss, &error) == WL_OK);
    CHECK_THAT(fabs(loss - expected_loss) <= 1e-6 * fabs(expected_loss), "%s: %.9g, expected %.9g",
               kinds[this->kind].name, loss, expected_loss);
    for (size_t i = 0; i < kinds[this->kind].inputs; i++) {
        double worst = 0, largest = 0;
        read_floats(file, expected, size);
        for (size_t j = 0; j < size; j++) {
            worst = fmax(worst, fabs((double)this->slopes[i][j] - (double)expected[j]));
            largest = fmax(largest, fabs((double)expected[j]));
        }
        CHECK_THAT(largest > 0 && worst <= 5e-6 * largest, "%s, %zu x %zu, input %zu: %g of %g", kinds[this->kind].name,
                   this->count, this->dim, i, worst, largest);
    }
    free(expected);
}

static void test_golden(void)
{
    FILE *file = fopen(WL_TEST_DATA "/golden/distill.txt", "r");
    CHECK(file);
    if (!file) return;
    wl_pool *pool = new_pool(2);
    char name[32];
    size_t cases = 0, seen[KINDS] = {0};
    problem this = {0};
    while (fscanf(file, "%31s %zu %zu %zu %f %zu", name, &this.count, &this.dim, &this.target_dim, &this.scale,
                  &this.dim_count) == 6) {
        for (int i = 0; i < KINDS; i++)
            if (strcmp(name, kinds[i].name) == 0) this.kind = (kind)i;
        check_case(file, &this, pool);
        cases++;
        seen[this.kind]++;
        problem_free(&this);
        this = (problem){0};
    }
    CHECK(feof(file));
    CHECK_THAT(cases == 32, "%zu cases", cases);
    for (int i = 0; i < KINDS; i++) CHECK(seen[i] == 4);
    wl_pool_free(pool);
    fclose(file);
}

/* ---- finite differences ------------------------------------------------------------------------------------------ */

/* The difference that number j of input i makes to the definition. */
static double difference(problem *this, size_t i, size_t j)
{
    double kept = this->wide[i][j], step = 1e-5;
    this->wide[i][j] = kept + step;
    double above = definition(this);
    this->wide[i][j] = kept - step;
    double below = definition(this);
    this->wide[i][j] = kept;
    return (above - below) / (2 * step);
}

/* Of samples numbers of each input, or all that there are. */
static void check_differences(problem *this, wl_pool *pool, size_t samples)
{
    double loss, worst = 0, largest = 0, expected = definition(this);
    wl_error error;
    size_t size = this->count * this->dim;
    clear_slopes(this);
    CHECK(run(this, pool, 1, &loss, &error) == WL_OK);
    CHECK_THAT(fabs(loss - expected) <= 1e-6 * fabs(expected) + 1e-7, "%s, %zu x %zu: %.9g, expected %.9g",
               kinds[this->kind].name, this->count, this->dim, loss, expected);
    for (size_t i = 0; i < kinds[this->kind].inputs; i++) {
        for (size_t j = 0; j < size; j++) largest = fmax(largest, fabs((double)this->slopes[i][j]));
        for (size_t n = 0; n < samples && n < size; n++) {
            size_t j = samples < size ? (size_t)((random_number() + 1) / 2 * (float)(size - 1)) : n;
            worst = fmax(worst, fabs(difference(this, i, j) - (double)this->slopes[i][j]));
        }
    }
    /* The cosines of one dim are 1 or -1: all that there is, is rounding. */
    CHECK_THAT(worst <= 1e-5 * largest + (this->dim == 1 ? 1e-5 : 1e-9), "%s, %zu x %zu: %g of %g",
               kinds[this->kind].name, this->count, this->dim, worst, largest);
}

static void test_differences(void)
{
    static const struct {
        size_t count, dim, dim_count, samples;
        uint32_t dims[4];
    } shapes[] = {
        {1, 6, 1, 6, {6}},   {2, 6, 2, 12, {3, 6}}, {9, 11, 3, 99, {11, 2, 7}}, {33, 16, 4, 40, {16, 8, 4, 8}},
        {40, 1, 1, 40, {1}}, {20, 12, 1, 40, {5}},  {300, 5, 2, 4, {5, 3}},
    };
    wl_pool *pool = new_pool(2);
    for (int i = 0; i < KINDS; i++)
        for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++) {
            problem this = random_problem((kind)i, shapes[j].count, shapes[j].dim, shapes[j].dims, shapes[j].dim_count);
            check_differences(&this, pool, shapes[j].samples);
            if (i == SIMILARITIES || i == DISTRIBUTIONS || i == COSINE || i == SQUARED) {
                /* Targets of fewer dims than the vectors. */
                this.target_dim = shapes[j].dim > 4 ? 4 : 1;
                check_differences(&this, pool, shapes[j].samples);
            }
            problem_free(&this);
        }
    wl_pool_free(pool);
}

/* ---- signs ------------------------------------------------------------------------------------------------------- */

/* Puts signs in place of the inputs, whose rows then have the length root of dim. */
static void take_signs(problem *this)
{
    for (size_t i = 0; i < kinds[this->kind].inputs; i++)
        for (size_t j = 0; j < this->count * this->dim; j++) this->inputs[i][j] = this->inputs[i][j] < 0 ? -1 : 1;
    widen(this);
}

/* Where lengths are constant a cosine is a dot product by its first length: the slope by a number is the difference of
 * the definition with the part along the row put back, which is the slope's own product with the row, by |row|^2. Of a
 * loss over cosines alone that product is zero unless the lengths count as constant. */
static void test_signs(void)
{
    static const kind of[] = {COSINE, SIMILARITIES, DISTRIBUTIONS, TRIPLET};
    static const uint32_t dims[] = {12};
    wl_pool *pool = new_pool(2);
    wl_error error;
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        problem free_lengths = random_problem(of[k], 20, 12, dims, 1), constant = free_lengths;
        double loss, other_loss, along_all = 0, worst = 0, largest = 0;
        take_signs(&free_lengths);
        constant.signs = true;
        for (size_t i = 0; i < kinds[of[k]].inputs; i++) constant.slopes[i] = calloc(20 * 12, sizeof(float));
        CHECK(!run(&free_lengths, pool, 1, &loss, &error) && !run(&constant, pool, 1, &other_loss, &error));
        CHECK(memcmp(&loss, &other_loss, sizeof loss) == 0);
        for (size_t i = 0; i < kinds[of[k]].inputs; i++)
            for (size_t r = 0; r < 20; r++) {
                const float *row = free_lengths.inputs[i] + r * 12, *with = constant.slopes[i] + r * 12;
                const float *without = free_lengths.slopes[i] + r * 12;
                double along = 0;
                for (size_t j = 0; j < 12; j++) along += (double)with[j] * (double)row[j] / 12;
                for (size_t j = 0; j < 12; j++) {
                    worst = fmax(worst, fabs((double)with[j] - along * (double)row[j] - (double)without[j]));
                    largest = fmax(largest, fabs((double)with[j]));
                }
                along_all += fabs(along);
            }
        CHECK_THAT(worst <= 1e-5 * largest && along_all > largest, "%s: %g of %g, along the rows %g", kinds[of[k]].name,
                   worst, largest, along_all);
        for (size_t i = 0; i < kinds[of[k]].inputs; i++) free(constant.slopes[i]);
        problem_free(&free_lengths);
    }
    wl_pool_free(pool);
}

/* ---- what does not depend on chance ------------------------------------------------------------------------------ */

/* Every number of threads gives the bits of one; slopes are added to what is there, times weight. */
static void test_threads(void)
{
    static const uint32_t dims[] = {40, 24, 8};
    wl_error error;
    for (int i = 0; i < KINDS; i++) {
        problem this = random_problem((kind)i, 600, 40, dims, 3);
        size_t size = this.count * this.dim, bytes = size * sizeof(float), inputs = kinds[i].inputs;
        float *first[MOST_INPUTS] = {NULL};
        double first_loss = 0, loss;
        for (uint32_t threads = 1; threads <= 3; threads++) {
            wl_pool *pool = new_pool(threads);
            clear_slopes(&this);
            CHECK(run(&this, pool, 0.5f, &loss, &error) == WL_OK);
            if (threads == 1) first_loss = loss;
            CHECK(memcmp(&loss, &first_loss, sizeof loss) == 0);
            for (size_t j = 0; j < inputs; j++) {
                if (threads == 1) first[j] = malloc(bytes);
                if (threads == 1) memcpy(first[j], this.slopes[j], bytes);
                CHECK(memcmp(first[j], this.slopes[j], bytes) == 0);
            }
            wl_pool_free(pool);
        }
        wl_pool *pool = new_pool(2);
        for (size_t j = 0; j < inputs; j++)
            for (size_t k = 0; k < size; k++) this.slopes[j][k] = 3;
        CHECK(run(&this, pool, 2, &loss, &error) == WL_OK);
        CHECK(memcmp(&loss, &first_loss, sizeof loss) == 0);
        for (size_t j = 0; j < inputs; j++) {
            double worst = 0, largest = 0;
            for (size_t k = 0; k < size; k++) {
                worst = fmax(worst, fabs((double)this.slopes[j][k] - 3 - 4 * (double)first[j][k]));
                largest = fmax(largest, fabs((double)first[j][k]));
            }
            CHECK_THAT(largest > 0 && worst <= 4e-6 + 1e-5 * largest, "%s: %g of %g", kinds[i].name, worst, largest);
            free(first[j]);
        }
        wl_pool_free(pool);
        problem_free(&this);
    }
}

/* ---- vectors and scores without a slope -------------------------------------------------------------------------- */

static bool all_zero(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] != 0) return false;
    return true;
}

static void test_zero_vectors(void)
{
    static const uint32_t dims[] = {10, 4};
    wl_pool *pool = new_pool(2);
    wl_error error;
    for (int i = 0; i < KINDS; i++) {
        problem this = random_problem((kind)i, 12, 10, dims, 2);
        double loss;
        memset(this.inputs[0] + 3 * this.dim, 0, this.dim * sizeof(float));
        memset(this.inputs[0] + 7 * this.dim, 0, 4 * sizeof(float)); /* zero in one dim of the nest alone */
        if (this.target_dim > 1) memset(this.targets + 5 * this.target_dim, 0, this.target_dim * sizeof(float));
        widen(&this);
        CHECK(run(&this, pool, 1, &loss, &error) == WL_OK);
        double expected = definition(&this);
        CHECK_THAT(fabs(loss - expected) <= 1e-6 * expected, "%s: %.9g, expected %.9g", kinds[i].name, loss, expected);
        if (i != SQUARED) CHECK_THAT(all_zero(this.slopes[0] + 3 * this.dim, this.dim), "%s", kinds[i].name);
        if (i != SQUARED) CHECK_THAT(!all_zero(this.slopes[0] + 7 * this.dim, this.dim), "%s", kinds[i].name);
        for (size_t j = 0; j < kinds[i].inputs; j++)
            for (size_t k = 0; k < this.count * this.dim; k++) CHECK(isfinite(this.slopes[j][k]));
        problem_free(&this);
    }
    wl_pool_free(pool);
}

/* Pairs of equal score do not count; what has no pairs has no loss. */
static void test_nothing_to_learn(void)
{
    static const uint32_t dims[] = {10, 4};
    static const struct {
        kind kind;
        size_t count;
    } cases[] = {{COSENT, 20},       {ANGLE, 20},        {COSENT, 1}, {ANGLE, 1}, {SIMILARITIES, 1},
                 {DISTRIBUTIONS, 1}, {DISTRIBUTIONS, 2}, {COSENT, 0}, {SCORE, 0}, {COSINE, 0},
                 {SIMILARITIES, 0},  {DISTRIBUTIONS, 0}, {TRIPLET, 0}};
    wl_pool *pool = new_pool(2);
    wl_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        problem this = random_problem(cases[i].kind, cases[i].count, 10, dims, 2);
        double loss = 1;
        for (size_t j = 0; j < this.count && this.kind <= SCORE; j++) this.targets[j] = 0.3f;
        CHECK(run(&this, pool, 1, &loss, &error) == WL_OK);
        CHECK_THAT(fabs(loss) <= (cases[i].count == 2 ? 1e-15 : 0), "%s of %zu: %g", kinds[this.kind].name, this.count,
                   loss);
        for (size_t j = 0; j < kinds[this.kind].inputs; j++) CHECK(all_zero(this.slopes[j], this.count * this.dim));
        problem_free(&this);
    }
    wl_pool_free(pool);
}

/* Exponents that no number holds: a scale of 10,000, a temperature of 1/10,000. */
static void test_large_scales(void)
{
    static const uint32_t dims[] = {8};
    static const kind some[] = {COSENT, ANGLE, DISTRIBUTIONS, TRIPLET};
    wl_pool *pool = new_pool(1);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        problem this = random_problem(some[i], 30, 8, dims, 1);
        this.scale = some[i] <= ANGLE ? 10000 : 0.0001f;
        double loss, expected = some[i] == TRIPLET ? loss = 0 : definition(&this);
        wl_error error;
        CHECK(run(&this, pool, 1, &loss, &error) == WL_OK);
        CHECK_THAT(isfinite(loss) && loss > 0, "%s: %g", kinds[this.kind].name, loss);
        if (some[i] != TRIPLET)
            CHECK_THAT(fabs(loss - expected) <= 1e-5 * expected, "%s: %.9g, expected %.9g", kinds[this.kind].name, loss,
                       expected);
        for (size_t j = 0; j < kinds[this.kind].inputs; j++) {
            CHECK(!all_zero(this.slopes[j], this.count * this.dim));
            for (size_t k = 0; k < this.count * this.dim; k++) CHECK(isfinite(this.slopes[j][k]));
        }
        problem_free(&this);
    }
    wl_pool_free(pool);
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

static void test_errors(void)
{
    static const uint32_t dims[] = {10, 4};
    wl_pool *pool = new_pool(1);
    wl_error error;
    double loss;
    for (int i = 0; i < KINDS; i++) {
        problem this = random_problem((kind)i, 12, 10, dims, 2);
        this.inputs[0][25] = NAN; /* the loss says so */
        CHECK(run(&this, pool, 1, &loss, &error) == WL_OK);
        CHECK_THAT(isnan(loss), "%s: %g", kinds[i].name, loss);
        clear_slopes(&this);
        this.dims[1] = 11;
        CHECK(run(&this, pool, 1, &loss, &error) == WL_ERROR_ARGUMENT && strstr(error.message, "11 dim"));
        this.dims[1] = 0;
        CHECK(run(&this, pool, 1, &loss, &error) == WL_ERROR_ARGUMENT && strstr(error.message, "1 to 10"));
        this.dim_count = 0;
        CHECK(run(&this, pool, 1, &loss, &error) == WL_ERROR_ARGUMENT);
        this.dim_count = 1;
        this.scale = 0;
        if (i == DISTRIBUTIONS || i == TRIPLET)
            CHECK(run(&this, pool, 1, &loss, &error) == WL_ERROR_ARGUMENT && strstr(error.message, "temperature"));
        if (i <= SCORE) this.targets[7] = INFINITY;
        if (i <= SCORE)
            CHECK(run(&this, pool, 1, &loss, &error) == WL_ERROR_ARGUMENT && strstr(error.message, "pair 7"));
        for (size_t j = 0; j < kinds[i].inputs; j++) CHECK(all_zero(this.slopes[j], this.count * this.dim));
        problem_free(&this);
    }
    wl_pool_free(pool);
}

static void test_faults(void)
{
    static const uint32_t dims[] = {10, 4};
    if (!fault_available()) {
        SKIP("failing allocations: linked without --wrap");
        return;
    }
    wl_pool *pool = new_pool(1);
    for (int i = 0; i < KINDS; i++) {
        problem this = random_problem((kind)i, 12, 10, dims, 2);
        for (size_t nth = 1;; nth++) {
            double loss;
            wl_error error = {0};
            fault_begin(nth);
            wl_status status = run(&this, pool, 1, &loss, &error);
            if (!fault_end()) {
                CHECK(status == WL_OK && nth > 4);
                break;
            }
            CHECK(status == WL_ERROR_MEMORY && error.code == WL_ERROR_MEMORY);
            for (size_t j = 0; j < kinds[i].inputs; j++) CHECK(all_zero(this.slopes[j], this.count * this.dim));
        }
        problem_free(&this);
    }
    wl_pool_free(pool);
}

int main(void)
{
    test_golden();
    test_differences();
    test_threads();
    test_signs();
    test_zero_vectors();
    test_nothing_to_learn();
    test_large_scales();
    test_errors();
    test_faults();
    return test_end();
}
