// SPDX-License-Identifier: GPL-3.0-or-later
// One vector type per instruction set. Exactly one TERZETTO_LANES_* macro is defined by the file that
// includes this; everything lives in a namespace named after the level, so that no inline function compiled
// with wide instructions can be picked by the linker for a machine that lacks them.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(TERZETTO_LANES_AVX512) || defined(TERZETTO_LANES_AVX2)
#include <immintrin.h>
#elif defined(TERZETTO_LANES_SSE2)
#include <emmintrin.h>
#elif defined(TERZETTO_LANES_NEON)
#include <arm_neon.h>
#else
#include <cmath>
#include <cstring>
#endif

// For a function that works on its caller's vectors: called, it would get them through memory. And for one that has no
// effect but on the caches: GCC may leave out a call of it.
#if defined(__GNUC__)
#define TERZETTO_INLINE inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define TERZETTO_INLINE __forceinline
#else
#define TERZETTO_INLINE inline
#endif

namespace terzetto {
namespace TERZETTO_LEVEL {

// log() needs x = mantissa * 2^exponent with the mantissa in [sqrt(1/2), sqrt(2)): subtracting the bits of
// sqrt(1/2) before the shift moves the cut there from 1.
constexpr std::int32_t kRootHalfBits = 0x3f3504f3;

// Into the second-level cache, where a strip of frames fits.
TERZETTO_INLINE void prefetch(const float* p) {
#if defined(__GNUC__)
    __builtin_prefetch(p, 0, 2);
#elif defined(TERZETTO_LANES_AVX512) || defined(TERZETTO_LANES_AVX2) || defined(TERZETTO_LANES_SSE2)
    _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1);
#else
    (void)p;
#endif
}

// Into the first-level cache.
TERZETTO_INLINE void prefetch_near(const float* p) {
#if defined(__GNUC__)
    __builtin_prefetch(p, 0, 3);
#elif defined(TERZETTO_LANES_AVX512) || defined(TERZETTO_LANES_AVX2) || defined(TERZETTO_LANES_SSE2)
    _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
#else
    (void)p;
#endif
}

#if defined(TERZETTO_LANES_AVX512)

struct Vec {
    static constexpr std::size_t width = 16;
    static constexpr int accumulators = 24; // that fit the registers beside what they are fed from
    static constexpr int spread_group = 4;  // vectors along k that are kept for 4 frames at once
    __m512 v;
    static Vec load(const float* p) { return {_mm512_load_ps(p)}; }
    static Vec load_any(const float* p) { return {_mm512_loadu_ps(p)}; }
    void store(float* p) const { _mm512_store_ps(p, v); }
    static Vec all(float x) { return {_mm512_set1_ps(x)}; }
    friend Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
    static Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
    static Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
    static Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
    // rcp14 and one Newton step: 2^-23 or so, at a third of the divider's time.
    static Vec quotient(Vec a, Vec b) {
        const __m512 x = _mm512_rcp14_ps(b.v);
        const __m512 q = _mm512_mul_ps(a.v, x);
        return {_mm512_fmadd_ps(_mm512_fnmadd_ps(b.v, q, a.v), x, q)};
    }
    static Vec where_positive(Vec test, Vec yes, Vec no) {
        return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(test.v, _mm512_setzero_ps(), _CMP_GT_OQ), no.v, yes.v)};
    }
    Vec split(Vec& exponent) const {
        const __m512i bits = _mm512_castps_si512(v);
        const __m512i e = _mm512_srai_epi32(_mm512_sub_epi32(bits, _mm512_set1_epi32(kRootHalfBits)), 23);
        exponent.v = _mm512_cvtepi32_ps(e);
        return {_mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(e, 23)))};
    }
};

inline __m128 fold(Vec a) {
    const __m256 half =
        _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a.v), 1)));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

#elif defined(TERZETTO_LANES_AVX2)

struct Vec {
    static constexpr std::size_t width = 8;
    static constexpr int accumulators = 12;
    static constexpr int spread_group = 2;
    __m256 v;
    static Vec load(const float* p) { return {_mm256_load_ps(p)}; }
    static Vec load_any(const float* p) { return {_mm256_loadu_ps(p)}; }
    void store(float* p) const { _mm256_store_ps(p, v); }
    static Vec all(float x) { return {_mm256_set1_ps(x)}; }
    friend Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
    static Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
    static Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
    static Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
    static Vec quotient(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
    static Vec where_positive(Vec test, Vec yes, Vec no) {
        return {_mm256_blendv_ps(no.v, yes.v, _mm256_cmp_ps(test.v, _mm256_setzero_ps(), _CMP_GT_OQ))};
    }
    Vec split(Vec& exponent) const {
        const __m256i bits = _mm256_castps_si256(v);
        const __m256i e = _mm256_srai_epi32(_mm256_sub_epi32(bits, _mm256_set1_epi32(kRootHalfBits)), 23);
        exponent.v = _mm256_cvtepi32_ps(e);
        return {_mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(e, 23)))};
    }
};

inline __m128 fold(Vec a) {
    return _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
}

#elif defined(TERZETTO_LANES_SSE2)

struct Vec {
    static constexpr std::size_t width = 4;
    static constexpr int accumulators = 8;
    static constexpr int spread_group = 2;
    __m128 v;
    static Vec load(const float* p) { return {_mm_load_ps(p)}; }
    static Vec load_any(const float* p) { return {_mm_loadu_ps(p)}; }
    void store(float* p) const { _mm_store_ps(p, v); }
    static Vec all(float x) { return {_mm_set1_ps(x)}; }
    friend Vec operator+(Vec a, Vec b) { return {_mm_add_ps(a.v, b.v)}; }
    friend Vec operator-(Vec a, Vec b) { return {_mm_sub_ps(a.v, b.v)}; }
    friend Vec operator*(Vec a, Vec b) { return {_mm_mul_ps(a.v, b.v)}; }
    static Vec fma(Vec a, Vec b, Vec c) { return {_mm_add_ps(_mm_mul_ps(a.v, b.v), c.v)}; }
    static Vec min(Vec a, Vec b) { return {_mm_min_ps(a.v, b.v)}; }
    static Vec max(Vec a, Vec b) { return {_mm_max_ps(a.v, b.v)}; }
    static Vec quotient(Vec a, Vec b) { return {_mm_div_ps(a.v, b.v)}; }
    static Vec where_positive(Vec test, Vec yes, Vec no) {
        const __m128 mask = _mm_cmpgt_ps(test.v, _mm_setzero_ps());
        return {_mm_or_ps(_mm_and_ps(mask, yes.v), _mm_andnot_ps(mask, no.v))};
    }
    Vec split(Vec& exponent) const {
        const __m128i bits = _mm_castps_si128(v);
        const __m128i e = _mm_srai_epi32(_mm_sub_epi32(bits, _mm_set1_epi32(kRootHalfBits)), 23);
        exponent.v = _mm_cvtepi32_ps(e);
        return {_mm_castsi128_ps(_mm_sub_epi32(bits, _mm_slli_epi32(e, 23)))};
    }
};

inline __m128 fold(Vec a) {
    return a.v;
}

#elif defined(TERZETTO_LANES_NEON)

struct Vec {
    static constexpr std::size_t width = 4;
    static constexpr int accumulators = 24;
    static constexpr int spread_group = 4;
    float32x4_t v;
    static Vec load(const float* p) { return {vld1q_f32(p)}; }
    static Vec load_any(const float* p) { return {vld1q_f32(p)}; }
    void store(float* p) const { vst1q_f32(p, v); }
    static Vec all(float x) { return {vdupq_n_f32(x)}; }
    friend Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
    friend Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
    friend Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
    static Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
    static Vec min(Vec a, Vec b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; } // b if a is no number
    static Vec max(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
    static Vec quotient(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
    static Vec where_positive(Vec test, Vec yes, Vec no) {
        return {vbslq_f32(vcgtq_f32(test.v, vdupq_n_f32(0.0f)), yes.v, no.v)};
    }
    Vec split(Vec& exponent) const {
        const int32x4_t bits = vreinterpretq_s32_f32(v);
        const int32x4_t e = vshrq_n_s32(vsubq_s32(bits, vdupq_n_s32(kRootHalfBits)), 23);
        exponent.v = vcvtq_f32_s32(e);
        return {vreinterpretq_f32_s32(vsubq_s32(bits, vshlq_n_s32(e, 23)))};
    }
};

// Four horizontal sums at once, each in the same order whatever its neighbours are.
inline void sum4(Vec a, Vec b, Vec c, Vec d, float* out) {
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(a.v, b.v), vpaddq_f32(c.v, d.v)));
}

#else // plain C++

struct Vec {
    static constexpr std::size_t width = 4;
    static constexpr int accumulators = 8;
    static constexpr int spread_group = 1;
    float v[width];
    template <class F>
    static Vec each(F f) {
        Vec r;
        for (std::size_t i = 0; i < width; ++i) r.v[i] = f(i);
        return r;
    }
    static Vec load(const float* p) {
        return each([=](std::size_t i) { return p[i]; });
    }
    static Vec load_any(const float* p) { return load(p); }
    void store(float* p) const {
        for (std::size_t i = 0; i < width; ++i) p[i] = v[i];
    }
    static Vec all(float x) {
        return each([=](std::size_t) { return x; });
    }
    friend Vec operator+(Vec a, Vec b) {
        return each([&](std::size_t i) { return a.v[i] + b.v[i]; });
    }
    friend Vec operator-(Vec a, Vec b) {
        return each([&](std::size_t i) { return a.v[i] - b.v[i]; });
    }
    friend Vec operator*(Vec a, Vec b) {
        return each([&](std::size_t i) { return a.v[i] * b.v[i]; });
    }
    static Vec fma(Vec a, Vec b, Vec c) {
        return each([&](std::size_t i) { return a.v[i] * b.v[i] + c.v[i]; });
    }
    static Vec min(Vec a, Vec b) {
        return each([&](std::size_t i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
    }
    static Vec max(Vec a, Vec b) {
        return each([&](std::size_t i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
    }
    static Vec quotient(Vec a, Vec b) {
        return each([&](std::size_t i) { return a.v[i] / b.v[i]; });
    }
    static Vec where_positive(Vec test, Vec yes, Vec no) {
        return each([&](std::size_t i) { return test.v[i] > 0.0f ? yes.v[i] : no.v[i]; });
    }
    Vec split(Vec& exponent) const {
        Vec mantissa;
        for (std::size_t i = 0; i < width; ++i) {
            std::uint32_t bits;
            std::memcpy(&bits, &v[i], sizeof bits);
            // An unsigned difference, so that garbage (negative input) wraps instead of overflowing.
            const std::uint32_t shifted = bits - static_cast<std::uint32_t>(kRootHalfBits);
            const std::int32_t e = static_cast<std::int32_t>(shifted) >> 23;
            bits -= static_cast<std::uint32_t>(e) << 23;
            exponent.v[i] = static_cast<float>(e);
            std::memcpy(&mantissa.v[i], &bits, sizeof bits);
        }
        return mantissa;
    }
};

inline void sum4(Vec a, Vec b, Vec c, Vec d, float* out) {
    const Vec* in[4] = {&a, &b, &c, &d};
    for (int i = 0; i < 4; ++i) out[i] = (in[i]->v[0] + in[i]->v[1]) + (in[i]->v[2] + in[i]->v[3]);
}

#endif

#if defined(TERZETTO_LANES_AVX512) || defined(TERZETTO_LANES_AVX2) || defined(TERZETTO_LANES_SSE2)
// Four horizontal sums at once, each in the same order whatever its neighbours are.
inline void sum4(Vec a, Vec b, Vec c, Vec d, float* out) {
    __m128 p = fold(a), q = fold(b), r = fold(c), s = fold(d);
    _MM_TRANSPOSE4_PS(p, q, r, s);
    _mm_storeu_ps(out, _mm_add_ps(_mm_add_ps(p, q), _mm_add_ps(r, s)));
}
#endif

inline float sum(Vec a) {
    alignas(64) float lane[4];
    const Vec zero = Vec::all(0.0f);
    sum4(a, zero, zero, zero, lane);
    return lane[0];
}

} // namespace TERZETTO_LEVEL
} // namespace terzetto
