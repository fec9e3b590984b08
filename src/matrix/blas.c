#include "matrix/blas.h"

#include <cblas.h>
#include <pthread.h>

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
