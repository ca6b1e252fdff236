// SPDX-License-Identifier: GPL-3.0-or-later
// The model's arithmetic on one tile of bins, shared by the splitter of whole takes and the filter of streams.
#pragma once

#include "coherence.hpp"

#include <cmath>
#include <cstddef>
#include <vector>

// One function, compiled for several instruction sets and chosen at load time, where the tool chain can.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__) &&                       \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TERZETTO_CLONES __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define TERZETTO_CLONES
#endif

// The arrays of a tile never overlap, which is more than a compiler can see.
#if defined(__clang__)
#define TERZETTO_LANES _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define TERZETTO_LANES _Pragma("GCC ivdep")
#else
#define TERZETTO_LANES
#endif

namespace terzetto::coherence {

namespace {

constexpr std::size_t kLanes = 16; // bins worked on together: one cache line, one AVX-512 register
constexpr float kTiny = 1e-20f;

// By value: std::min and std::max return references, which keeps loops out of vector lanes.
inline float smaller(float a, float b) {
    return a < b ? a : b;
}
inline float larger(float a, float b) {
    return a > b ? a : b;
}

// A tile of every frame of one source: magnitude, and magnitude times phase advance.
struct Source {
    std::vector<float> magnitude, re, im;
    explicit Source(std::size_t cells) : magnitude(cells), re(cells), im(cells) {}
};

// The tile of the templates, packed: rows x lanes.
struct TemplateTile {
    std::vector<float> magnitude, re, im;
    TemplateTile(const Templates& t, std::size_t bin, std::size_t lanes)
        : magnitude(t.rows * kLanes), re(t.rows * kLanes), im(t.rows * kLanes) {
        for (std::size_t r = 0; r < t.rows; ++r)
            for (std::size_t i = 0; i < lanes; ++i) {
                magnitude[r * kLanes + i] = t.magnitude[r * t.bins + bin + i];
                if (t.turning) {
                    re[r * kLanes + i] = t.turning[r * t.bins + bin + i].real();
                    im[r * kLanes + i] = t.turning[r * t.bins + bin + i].imag();
                }
            }
    }
};

TERZETTO_CLONES inline void add_template(float h, const float* w, const float* wr, const float* wi, float* m, float* re,
                                         float* im) {
    TERZETTO_LANES for (std::size_t i = 0; i < kLanes; ++i) {
        m[i] += h * w[i];
        re[i] += h * wr[i];
        im[i] += h * wi[i];
    }
}

// Working state of one tile, frames x lanes each.
struct Track {
    std::vector<float> xr, xi;    // observed
    std::vector<float> lr, li, p; // left source and its variance
    std::vector<float> mr, mi;    // left as predicted
    std::vector<float> ar, ai, br, bi, qa, qb;
    explicit Track(std::size_t cells)
        : xr(cells), xi(cells), lr(cells), li(cells), p(cells), mr(cells), mi(cells), ar(cells), ai(cells), br(cells),
          bi(cells), qa(cells), qb(cells) {}
};

// One frame forward. Offsets: o this frame, j the one before.
TERZETTO_CLONES inline void filter_frame(Track& t, const Source& a, const Source& b, const float* gain, std::size_t o,
                                         const SplitOptions& options) {
    const std::size_t j = o - kLanes;
    const float *am = &a.magnitude[o], *amj = &a.magnitude[j], *are = &a.re[o], *aim = &a.im[o];
    const float *bm = &b.magnitude[o], *bmj = &b.magnitude[j], *bre = &b.re[o], *bim = &b.im[o];
    const float *xr = &t.xr[o], *xi = &t.xi[o], *xrj = &t.xr[j], *xij = &t.xi[j];
    const float *lrj = &t.lr[j], *lij = &t.li[j], *pj = &t.p[j];
    float *lr = &t.lr[o], *li = &t.li[o], *p = &t.p[o], *mr = &t.mr[o], *mi = &t.mi[o];
    float *tar = &t.ar[o], *tai = &t.ai[o], *tbr = &t.br[o], *tbi = &t.bi[o], *tqa = &t.qa[o], *tqb = &t.qb[o];
    const float floor = options.floor, smallest = floor * 1e-5f;
    const float correlation = options.correlation, surprise = options.surprise;
    TERZETTO_LANES for (std::size_t i = 0; i < kLanes; ++i) {
        const float g2 = gain[i] * gain[i];
        const float a2 = g2 * am[i] * am[i] + floor, a1 = g2 * amj[i] * amj[i] + floor;
        const float b2 = g2 * bm[i] * bm[i] + floor, b1 = g2 * bmj[i] * bmj[i] + floor;
        // How well the templates that make up a source agree on the advance scales its correlation.
        const float ma = std::sqrt(are[i] * are[i] + aim[i] * aim[i]);
        const float mb = std::sqrt(bre[i] * bre[i] + bim[i] * bim[i]);
        const float ka = correlation * smaller(1.0f, ma / (am[i] + kTiny));
        const float kb = correlation * smaller(1.0f, mb / (bm[i] + kTiny));
        // A source may decay from one frame to the next by itself; growth is new energy, that is noise.
        const float ra = ka * std::sqrt(smaller(1.0f, a2 / a1)), rb = kb * std::sqrt(smaller(1.0f, b2 / b1));
        float qa = a2 - ra * ra * a1, qb = b2 - rb * rb * b1;
        const float ua = ra / (ma + kTiny), ub = rb / (mb + kTiny);
        const float ar = ua * are[i], ai = ua * aim[i], br = ub * bre[i], bi = ub * bim[i];
        const float rr = xrj[i] - lrj[i], ri = xij[i] - lij[i];
        const float lmr = ar * lrj[i] - ai * lij[i], lmi = ar * lij[i] + ai * lrj[i];
        const float rmr = br * rr - bi * ri, rmi = br * ri + bi * rr;
        const float dr = ar - br, di = ai - bi, yr = xr[i] - lmr - rmr, yi = xi[i] - lmi - rmi;
        const float s1 = (dr * dr + di * di) * pj[i], e = yr * yr + yi * yi;
        const float open = larger(1.0f, surprise * (e - s1) / (qa + qb));
        qa *= open;
        qb *= open;
        const float s = s1 + qa + qb;
        const float gr = ((ar * dr + ai * di) * pj[i] + qa) / s, gi = (ai * dr - ar * di) * pj[i] / s;
        lr[i] = lmr + gr * yr - gi * yi;
        li[i] = lmi + gr * yi + gi * yr;
        p[i] = larger(ra * ra * pj[i] + qa - (gr * gr + gi * gi) * s, smallest);
        mr[i] = lmr;
        mi[i] = lmi;
        tar[i] = ar;
        tai[i] = ai;
        tbr[i] = br;
        tbi[i] = bi;
        tqa[i] = qa;
        tqb[i] = qb;
    }
}

// The first frame has no past: the Wiener filter.
inline void first_frame(Track& t, const Source& a, const Source& b, const float* gain, const SplitOptions& options) {
    for (std::size_t i = 0; i < kLanes; ++i) {
        const float g2 = gain[i] * gain[i];
        const float a2 = g2 * a.magnitude[i] * a.magnitude[i] + options.floor;
        const float b2 = g2 * b.magnitude[i] * b.magnitude[i] + options.floor;
        t.lr[i] = a2 / (a2 + b2) * t.xr[i];
        t.li[i] = a2 / (a2 + b2) * t.xi[i];
        t.p[i] = a2 * b2 / (a2 + b2);
    }
}

} // namespace

} // namespace terzetto::coherence
