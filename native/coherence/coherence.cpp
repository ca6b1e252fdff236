// SPDX-License-Identifier: GPL-3.0-or-later
#include "coherence.hpp"
#include "model.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

namespace terzetto::coherence {

namespace {

// Run work(first_bin) for every tile of bins; tiles are independent, so the result does not depend on the
// threads.
template <class Work>
void for_each_tile(std::size_t bins, unsigned threads, Work&& work) {
    const std::size_t tiles = (bins + kLanes - 1) / kLanes;
    const auto run = [&](std::size_t begin, std::size_t end) {
        for (std::size_t tile = begin; tile < end; ++tile) work(tile * kLanes);
    };
    const std::size_t count = std::max<std::size_t>(1, std::min<std::size_t>(threads, tiles));
    std::vector<std::thread> pool;
    for (std::size_t i = 1; i < count; ++i) pool.emplace_back(run, tiles * i / count, tiles * (i + 1) / count);
    run(0, tiles / count);
    for (std::thread& thread : pool) thread.join();
}

TERZETTO_CLONES void add_magnitude(float h, const float* w, float* total) {
    TERZETTO_LANES for (std::size_t i = 0; i < kLanes; ++i) total[i] += h * w[i];
}

// x[n] conj(x[n-1]) of a tile.
struct Turn {
    float re[kLanes] = {}, im[kLanes] = {}, size[kLanes] = {};

    void next(const Sample* x, std::size_t lanes) {
        for (std::size_t i = 0; i < lanes; ++i) {
            const Sample product = Sample(x[i].real() * before_[i].real() + x[i].imag() * before_[i].imag(),
                                          x[i].imag() * before_[i].real() - x[i].real() * before_[i].imag());
            re[i] = product.real();
            im[i] = product.imag();
            size[i] = std::sqrt(re[i] * re[i] + im[i] * im[i]);
            before_[i] = x[i];
        }
    }

private:
    Sample before_[kLanes] = {};
};

TERZETTO_CLONES void add_turn(float h, const float* w, float threshold, const float* total, const Turn& turned,
                              float* re, float* im, float* size) {
    TERZETTO_LANES for (std::size_t i = 0; i < kLanes; ++i) {
        const float heard = h * w[i] > threshold * total[i] ? 1.0f : 0.0f;
        re[i] += heard * turned.re[i];
        im[i] += heard * turned.im[i];
        size[i] += heard * turned.size[i];
    }
}

// One frame backward: o this frame, j the one after, whose left source is final already.
TERZETTO_CLONES void smooth_frame(Track& t, std::size_t o, const SplitOptions& options) {
    const std::size_t j = o + kLanes;
    const float *ar = &t.ar[j], *ai = &t.ai[j], *br = &t.br[j], *bi = &t.bi[j], *qa = &t.qa[j], *qb = &t.qb[j];
    const float *xr = &t.xr[o], *xi = &t.xi[o], *xrj = &t.xr[j], *xij = &t.xi[j], *p = &t.p[o];
    const float *lrj = &t.lr[j], *lij = &t.li[j], *mr = &t.mr[j], *mi = &t.mi[j];
    float *lr = &t.lr[o], *li = &t.li[o];
    const float reach = options.reach;
    TERZETTO_LANES for (std::size_t i = 0; i < kLanes; ++i) {
        const float vr = lrj[i] - mr[i], vi = lij[i] - mi[i];
        const float x0 = xr[i] - lr[i], x1 = xi[i] - li[i];
        const float wr = xrj[i] - lrj[i] - (br[i] * x0 - bi[i] * x1), wi = xij[i] - lij[i] - (br[i] * x1 + bi[i] * x0);
        const float ia = 1.0f / qa[i], ib = 1.0f / qb[i];
        const float nr = (ar[i] * vr + ai[i] * vi) * ia - (br[i] * wr + bi[i] * wi) * ib;
        const float ni = (ar[i] * vi - ai[i] * vr) * ia - (br[i] * wi - bi[i] * wr) * ib;
        const float ga = (ar[i] * ar[i] + ai[i] * ai[i]) * ia, gb = (br[i] * br[i] + bi[i] * bi[i]) * ib;
        const float den = 1.0f + p[i] * (ga + gb);
        const float cr = p[i] * nr / den, ci = p[i] * ni / den;
        const float size = std::sqrt(cr * cr + ci * ci) + kTiny;
        const float scale = smaller(1.0f, reach * std::sqrt(p[i]) / size);
        lr[i] += scale * cr;
        li[i] += scale * ci;
    }
}

} // namespace

Activations Activations::from_dense(const float* left, const float* right, std::size_t rows, std::size_t frames) {
    Activations result;
    result.start.reserve(frames + 1);
    result.start.push_back(0);
    for (std::size_t n = 0; n < frames; ++n) {
        for (std::size_t r = 0; r < rows; ++r) {
            const float a = left[r * frames + n], b = right ? right[r * frames + n] : 0.0f;
            if (a > 0.0f || b > 0.0f) {
                result.row.push_back(static_cast<std::uint32_t>(r));
                result.left.push_back(a);
                result.right.push_back(b);
            }
        }
        result.start.push_back(static_cast<std::uint32_t>(result.row.size()));
    }
    return result;
}

void learn(const Sample* x, const Templates& templates, const Activations& activations, float threshold, Sample* turn,
           float* size, unsigned threads) {
    const std::size_t frames = activations.frames(), bins = templates.bins;
    for_each_tile(bins, threads, [&](std::size_t bin) {
        const std::size_t lanes = std::min(kLanes, bins - bin);
        const TemplateTile tile(templates, bin, lanes);
        TemplateTile heard({templates.magnitude, nullptr, templates.rows, bins}, bin, 0); // zeros: size, turn
        std::vector<std::size_t> last(templates.rows, 0); // frame + 1 in which a template last sounded
        Turn turned;
        for (std::size_t n = 0; n < frames; ++n) {
            const std::size_t begin = activations.start[n], end = activations.start[n + 1];
            turned.next(x + n * bins + bin, lanes);
            float total[kLanes] = {};
            for (std::size_t e = begin; e < end; ++e)
                add_magnitude(activations.left[e], &tile.magnitude[activations.row[e] * kLanes], total);
            for (std::size_t e = begin; e < end; ++e) {
                const std::size_t row = activations.row[e], w = row * kLanes;
                if (n > 0 && last[row] == n)
                    add_turn(activations.left[e], &tile.magnitude[w], threshold, total, turned, &heard.re[w],
                             &heard.im[w], &heard.magnitude[w]);
                last[row] = n + 1;
            }
        }
        for (std::size_t r = 0; r < templates.rows; ++r)
            for (std::size_t i = 0; i < lanes; ++i) {
                turn[r * bins + bin + i] += Sample(heard.re[r * kLanes + i], heard.im[r * kLanes + i]);
                size[r * bins + bin + i] += heard.magnitude[r * kLanes + i];
            }
    });
}

void split(const Sample* x, const Templates& templates, const Activations& activations, const float* gain,
           const SplitOptions& options, Sample* left, unsigned threads) {
    const std::size_t frames = activations.frames(), bins = templates.bins;
    if (frames == 0) return;
    for_each_tile(bins, threads, [&](std::size_t bin) {
        const std::size_t lanes = std::min(kLanes, bins - bin), cells = frames * kLanes;
        const TemplateTile tile(templates, bin, lanes);
        Source a(cells), b(cells);
        Track t(cells);
        float scale[kLanes] = {};
        std::copy(gain + bin, gain + bin + lanes, scale);
        for (std::size_t n = 0; n < frames; ++n) {
            const std::size_t o = n * kLanes;
            for (std::size_t e = activations.start[n]; e < activations.start[n + 1]; ++e) {
                const std::size_t w = activations.row[e] * kLanes;
                for (Source* source : {&a, &b}) {
                    const float h = source == &a ? activations.left[e] : activations.right[e];
                    if (h > 0.0f)
                        add_template(h, &tile.magnitude[w], &tile.re[w], &tile.im[w], &source->magnitude[o],
                                     &source->re[o], &source->im[o]);
                }
            }
            for (std::size_t i = 0; i < lanes; ++i) {
                t.xr[o + i] = x[n * bins + bin + i].real();
                t.xi[o + i] = x[n * bins + bin + i].imag();
            }
        }
        first_frame(t, a, b, scale, options);
        for (std::size_t n = 1; n < frames; ++n) filter_frame(t, a, b, scale, n * kLanes, options);
        for (std::size_t n = frames - 1; n-- > 0;) smooth_frame(t, n * kLanes, options);
        for (std::size_t n = 0; n < frames; ++n)
            for (std::size_t i = 0; i < lanes; ++i)
                left[n * bins + bin + i] = Sample(t.lr[n * kLanes + i], t.li[n * kLanes + i]);
    });
}

} // namespace terzetto::coherence
