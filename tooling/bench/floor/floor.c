// The floor: a C program that makes only the kernel calls that the layer makes. The benchmark builds it
// where a C compiler is installed, and keeps it running beside its own work. The benchmark asks for one
// batch at a time, with a line: the name of the work, and the number of times. The program answers each
// line with the nanoseconds that the batch took.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define HUGE_PAGE_BYTES (2 * MIB)
#define SMALL_BYTES (64 * KIB)
#define RANGES 512

// A reservation like the layer's. Its ranges lie inside huge pages that it does not share.
static char *region;
static size_t page;
static char *scattered[RANGES];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void *map_at(void *hint, size_t n, int prot) { return mmap(hint, n, prot, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0); }
static void *map(size_t n, int prot) { return map_at(NULL, n, prot); }

static double alloc_free(long times) {
  double start = now();
  for (long i = 0; i < times; i++) munmap(map(SMALL_BYTES, PROT_READ | PROT_WRITE), SMALL_BYTES);
  return now() - start;
}

// Uses the same addresses as the layer's run.
static double reserve_free(long times) {
  double start = now();
  for (long i = 0; i < times; i++) munmap(map_at((void *)((8 + i % 8) * 4096 * GIB), GIB, PROT_NONE), GIB);
  return now() - start;
}

// Makes the calls of sysUnused for a range inside one huge page. sysUsed then makes no call.
static void unused_used(char *v) {
  madvise((char *)((uintptr_t)v & ~(HUGE_PAGE_BYTES - 1)), HUGE_PAGE_BYTES, MADV_NOHUGEPAGE);
  madvise(v, SMALL_BYTES, MADV_DONTNEED);
}

static double untouched(long times) {
  double start = now();
  for (long i = 0; i < times; i++) unused_used(region + SMALL_BYTES);
  return now() - start;
}

static double touched(long times) {
  double start = now();
  for (long i = 0; i < times; i++) {
    volatile char *v = region + SMALL_BYTES;
    unused_used((char *)v);
    for (size_t at = 0; at < SMALL_BYTES; at += page) v[at] = 1;
  }
  return now() - start;
}

// Calls madvise once for each range. Each range is one resident page.
static double give_back(long times) {
  double spent = 0;
  for (long i = 0; i < times; i++) {
    for (int r = 0; r < RANGES; r++) *(volatile char *)scattered[r] = 1;
    double start = now();
    for (int r = 0; r < RANGES; r++) madvise(scattered[r], page, MADV_DONTNEED);
    spent += now() - start;
  }
  return spent;
}

int main(void) {
  char name[32];
  long times;
  page = (size_t)sysconf(_SC_PAGESIZE);
  char *p = map(64 * MIB + HUGE_PAGE_BYTES, PROT_READ | PROT_WRITE);
  region = (char *)(((uintptr_t)p + HUGE_PAGE_BYTES - 1) & ~(HUGE_PAGE_BYTES - 1));
  // The ranges are those of the layer's run: every eighth page, without huge pages.
  madvise(region, 64 * MIB, MADV_NOHUGEPAGE);
  for (int r = 0; r < RANGES; r++) scattered[r] = region + (size_t)(r * 8 + 1) * page;
  while (scanf("%31s %ld", name, &times) == 2) {
    double ns = strcmp(name, "alloc-free") == 0     ? alloc_free(times)
                : strcmp(name, "reserve-free") == 0 ? reserve_free(times)
                : strcmp(name, "unused-used") == 0  ? untouched(times)
                : strcmp(name, "touch") == 0        ? touched(times)
                : strcmp(name, "give-back") == 0    ? give_back(times)
                                                    : -1;
    printf("%.0f\n", ns);
    fflush(stdout);
  }
  return 0;
}
