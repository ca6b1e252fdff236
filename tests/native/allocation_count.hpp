// SPDX-License-Identifier: GPL-3.0-or-later
// Counts this program's calls of malloc and its kin, also beneath operator new: by the sanitizer's hook where there is
// one, else by standing before glibc's. Include it in one source only.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace allocation_count {

inline std::atomic<long> calls{0};

inline void count(const volatile void*, std::size_t) {
    calls.fetch_add(1, std::memory_order_relaxed);
}
inline void count_free(const volatile void*) {}

} // namespace allocation_count

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));
namespace allocation_count {
inline bool start() {
    return __sanitizer_install_malloc_and_free_hooks(count, count_free) != 0;
}
} // namespace allocation_count

#elif defined(__GLIBC__)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) {
    allocation_count::count(nullptr, bytes);
    return __libc_malloc(bytes);
}
void* calloc(std::size_t number, std::size_t bytes) {
    allocation_count::count(nullptr, bytes);
    return __libc_calloc(number, bytes);
}
void* realloc(void* old, std::size_t bytes) {
    allocation_count::count(nullptr, bytes);
    return __libc_realloc(old, bytes);
}
int posix_memalign(void** result, std::size_t unit, std::size_t bytes) {
    allocation_count::count(nullptr, bytes);
    *result = __libc_memalign(unit, bytes);
    return *result ? 0 : ENOMEM;
}
void* aligned_alloc(std::size_t unit, std::size_t bytes) {
    allocation_count::count(nullptr, bytes);
    return __libc_memalign(unit, bytes);
}
}
namespace allocation_count {
inline bool start() {
    return true;
}
} // namespace allocation_count

#else
namespace allocation_count {
inline bool start() {
    return false;
}
} // namespace allocation_count
#endif
