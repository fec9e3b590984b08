#define _GNU_SOURCE /* sched_getaffinity */
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

/* Items are handed out by an atomic counter: no queue, no order, no lock in the work itself. A run is announced by
 * raising `round`; each helper takes part in each round exactly once. */
struct wl_pool {
    uint32_t threads, helpers; /* helpers: how many were started */
    bool started, ending;
    pthread_t *ids;
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
    uint64_t round;
    uint32_t busy; /* helpers that have not finished this round */
    atomic_size_t next;
    size_t count;
    void (*work)(void *user, uint32_t worker, size_t item);
    void *user;
};

struct helper {
    wl_pool *pool;
    uint32_t worker;
};

static void take_items(wl_pool *pool, uint32_t worker)
{
    for (;;) {
        size_t item = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (item >= pool->count) return;
        pool->work(pool->user, worker, item);
    }
}

static void *help(void *argument)
{
    struct helper helper = *(struct helper *)argument;
    wl_pool *pool = helper.pool;
    free(argument);
    uint64_t seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->round == seen && !pool->ending) pthread_cond_wait(&pool->begin, &pool->lock);
        if (pool->ending) break;
        seen = pool->round;
        pthread_mutex_unlock(&pool->lock);
        take_items(pool, helper.worker);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0) pthread_cond_signal(&pool->end);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

wl_pool *wl_pool_create(uint32_t threads, wl_error *error)
{
    wl_pool *pool = wl_allocate(1, sizeof *pool, error);
    if (!pool) return NULL;
    pool->threads = threads;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->begin, NULL);
    pthread_cond_init(&pool->end, NULL);
    return pool;
}

static void start(wl_pool *pool)
{
    pool->started = true;
    wl_error ignored; /* fewer threads are slower, not wrong */
    pool->ids = wl_allocate(pool->threads, sizeof *pool->ids, &ignored);
    while (pool->ids && pool->helpers + 1 < pool->threads) {
        struct helper *helper = malloc(sizeof *helper);
        if (!helper) break;
        *helper = (struct helper){pool, pool->helpers + 1};
        if (pthread_create(&pool->ids[pool->helpers], NULL, help, helper) != 0) {
            free(helper);
            break;
        }
        pool->helpers++;
    }
}

void wl_pool_run(wl_pool *pool, size_t count, void (*work)(void *user, uint32_t worker, size_t item), void *user)
{
    if (pool->threads > 1 && count > 1 && !pool->started) start(pool);
    pool->count = count;
    pool->work = work;
    pool->user = user;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    bool shared = pool->helpers > 0 && count > 1;
    if (shared) {
        pthread_mutex_lock(&pool->lock);
        pool->busy = pool->helpers;
        pool->round++;
        pthread_cond_broadcast(&pool->begin);
        pthread_mutex_unlock(&pool->lock);
    }
    take_items(pool, 0);
    if (shared) {
        pthread_mutex_lock(&pool->lock);
        while (pool->busy) pthread_cond_wait(&pool->end, &pool->lock);
        pthread_mutex_unlock(&pool->lock);
    }
}

void wl_pool_free(wl_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->helpers; i++) pthread_join(pool->ids[i], NULL);
    pthread_cond_destroy(&pool->begin);
    pthread_cond_destroy(&pool->end);
    pthread_mutex_destroy(&pool->lock);
    free(pool->ids);
    free(pool);
}

uint32_t wl_pool_threads(const wl_pool *pool)
{
    return pool->threads;
}

uint32_t wl_processors(void)
{
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return (uint32_t)CPU_COUNT(&set);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (uint32_t)count : 1;
}
