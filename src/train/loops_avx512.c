#define WL_LOOPS wl_loops_avx512
#include "train/loops_body.h"
