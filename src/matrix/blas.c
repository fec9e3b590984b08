#include "matrix/blas.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "wordllama_train.h"

/* How many calls are inside, and the number of threads that the first of them found. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned inside;
static int found;

void wl_blas_begin(void)
{
    pthread_mutex_lock(&lock);
    if (inside++ == 0) {
        found = openblas_get_num_threads();
        if (found != 1) openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&lock);
}

void wl_blas_end(void)
{
    pthread_mutex_lock(&lock);
    if (--inside == 0 && found != 1) openblas_set_num_threads(found);
    pthread_mutex_unlock(&lock);
}

/* OpenBLAS knows processors by their model number: one that is newer than the library gets the kernels that any x86-64
 * runs. Which it has can only be said before it is loaded. */
const char *wl_blas_advice(void)
{
    static const char *const oldest[] = {"Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom", "Sandybridge"};
    const char *kernels = openblas_get_corename();
    bool is_old = false;
    for (size_t i = 0; i < sizeof oldest / sizeof *oldest; i++) is_old |= strcmp(kernels, oldest[i]) == 0;
    if (!is_old || getenv("OPENBLAS_CORETYPE")) return NULL;
    switch (wl_cpu_detect()) {
    case WL_CPU_AVX512VNNI:
    case WL_CPU_AVX512:
        return "SkylakeX";
    case WL_CPU_AVX2:
        return "Haswell";
    default:
        return NULL;
    }
}
