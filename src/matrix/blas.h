/* What the files here share of OpenBLAS. */
#ifndef WL_MATRIX_BLAS_H
#define WL_MATRIX_BLAS_H

/* Around every call into OpenBLAS: between the two it does not start threads. Any thread, any number at once. */
void wl_blas_begin(void);
void wl_blas_end(void);

#endif
