/* Parquet files by Arrow's C++ library: the one file in C++, compiled where WORDLLAMA_ARROW is on. */
#ifndef WL_DATA_PARQUET_H
#define WL_DATA_PARQUET_H

#include "base/status.h"
#include "data/arrow.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The rows of a file as a stream, which belongs to the caller; on failure it holds nothing. */
wl_status wl_parquet_open(const char *path, struct ArrowArrayStream *stream, wl_error *error);

#ifdef __cplusplus
}
#endif

#endif
