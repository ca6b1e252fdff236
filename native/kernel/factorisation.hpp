// SPDX-License-Identifier: GPL-3.0-or-later
// The two factorisations, and what they share.
#pragma once

#include "inner_loops.hpp"
#include "strip_work.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace terzetto {

struct Options {
    int iterations = 0;
    Loss loss = Loss::euclidean;
    bool update_templates = true;
    float eps = 0.0f;          // added to the denominators; 0: only zero denominators are guarded
    int threads = 0;           // 0: one for small inputs, else as many as the machine has
    int loss_interval = 1;     // 0: never
    int progress_interval = 5; //
    std::function<bool(int done, int total)> progress; // false: stop here
    const InnerLoops* loops = nullptr;

    bool loss_due(int iteration) const {
        return loss_interval > 0 && (iteration % loss_interval == 0 || iteration == iterations);
    }
    bool progress_due(int iteration) const { return iteration % progress_interval == 0 || iteration == iterations; }
};

// V ~ W H (table 2.1): first H *= (W^T V) / (W^T W H + eps), then W *= (V H^T) / (W H H^T + eps); for the KL
// divergence H *= (W^T (V / WH)) / (W^T 1 + eps), W *= ((V / WH) H^T) / (1 H^T + eps).
// `h` is R x N, initial values; its zeros stay. `h_out` comes zeroed (or is `h`) and is first touched at the end, when
// the accumulators are gone. Returns the recorded losses.
std::vector<double> nmf(const Signal& signal, TemplateRows& w, const float* h, float* h_out, const Options& options);

// The same with fixed templates, read where they are.
std::vector<double> nmf_fixed(const Signal& signal, const float* w, std::size_t templates, const float* h, float* h_out,
                              const Options& options);

// V ~ W_D H', H' = M o (W_E V) (table 3.1): W_D *= (V H'^T) / (W_D H' H'^T + eps), then
// W_E *= ((W_D^T V o M) V^T) / ((W_D^T W_D H' o M) V^T + eps), then H' anew; for the KL divergence
// W_D *= ((V / W_D H') H'^T) / (1 H'^T + eps), W_E *= ((W_D^T (V / W_D H') o M) V^T) / ((W_D^T 1 o M) V^T + eps).
// `h` is made at the end, when the accumulators are gone.
std::vector<double> nae(const Signal& signal, TemplateRows& encoder, TemplateRows& decoder, const std::uint8_t* mask,
                        AlignedFloats& h, const Options& options);

// H' = M o (W_E V); `h` comes zeroed.
void encode(const Signal& signal, const float* encoder, std::size_t templates, const std::uint8_t* mask, float* h,
            const InnerLoops& loops, int threads);

// The nonnegative encoder, row for row as near as possible to activations found otherwise: min ||h_r - e_r V||^2 over
// the frames where the row is active, by multiplicative updates from the row's mean share of each bin. `encoder` comes
// zeroed. Progress counts rows.
void fit_encoder(const Signal& signal, const float* w, std::size_t templates, const float* h, float* encoder,
                 const Options& options);

// ---- shared --------------------------------------------------------------------------------------------

// Bit f of bits[r]: template r is active in frame first + f.
template <class T>
std::function<void(std::size_t, std::size_t, std::uint16_t*)> nonzero_bits(const T* matrix, std::size_t rows,
                                                                           std::size_t frames) {
    return [=](std::size_t first, std::size_t count, std::uint16_t* bits) {
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t f = 0; f < count; ++f)
                if (matrix[r * frames + first + f] != T(0)) bits[r] = static_cast<std::uint16_t>(bits[r] | (1u << f));
    };
}

// The threads to use for `jobs` that cost `madds` multiply-adds together.
std::size_t worker_count(int threads, std::size_t jobs, double madds);

// Walks over all strips with active templates, part by part; every second time backwards, because what was read
// last is still in the cache.
class Sweep {
public:
    using Visit = std::function<void(StripWork& work, std::size_t strip, std::size_t part)>;
    Sweep(const Plan& plan, const Signal& signal, const InnerLoops& loops, Crew& crew);
    void pass(const Visit& visit) { pass(plan_.parts, 1, visit); }
    // The same over other divisions of the strips. `copies`: every division is walked so many times, each walk a job
    // of its own; `visit` gets division * copies + copy for the part.
    void pass(const std::vector<Part>& parts, std::size_t copies, const Visit& visit);
    // Lets the next pass go the way of the last one: sums of both together run in the order of one pass.
    void turn() { backwards_ = !backwards_; }
    // Also the strips and quads without any; `visit` gets the work aimed at these.
    void idle_pass(const Visit& visit);

private:
    StripWork& work(std::size_t worker);
    const Plan& plan_;
    const Signal& signal_;
    const InnerLoops& loops_;
    Crew& crew_;
    std::vector<std::unique_ptr<StripWork>> work_;
    bool backwards_ = false;
};

// The activations as blocks of 16 frames: [strip][active template][frame].
class Activations {
public:
    Activations(const Plan& plan, const float* h); // h: R x N, or null for zeros
    float* block(std::size_t strip) { return floats_.data() + plan_.strips[strip].rows_at * kStripFrames; }
    const float* block(std::size_t strip) const { return floats_.data() + plan_.strips[strip].rows_at * kStripFrames; }
    void write(float* h) const;

private:
    const Plan& plan_;
    AlignedFloats floats_;
};

// Sums the parts' contributions in the parts' order.
inline double total(const std::vector<double>& by_part) {
    double all = 0.0;
    for (const double x : by_part) all += x;
    return all;
}

// The loss of V ~ W H out of the reconstruction, frame by frame: one more pass. The Euclidean loss usually comes out
// of products that are there anyway, ||V||^2 - 2 <W, V H^T> + <W^T W, H H^T>, which loses digits where the fit is
// nearly perfect (below kPoorFit ||V||^2, where rounding has eaten half of them) and for tiny inputs.
class ExactLoss {
public:
    ExactLoss(const Plan& plan, const Signal& signal, const Options& options, Sweep& sweep)
        : plan_(plan), signal_(signal), options_(options), sweep_(sweep) {}
    double of(const RowsView& w, const Activations& h);
    // The share of the quads without active templates: constant.
    double idle();
    double square_norm(); // of V
    bool needed(double estimate);
    bool tiny() const { return signal_.frames * signal_.bins <= (std::size_t{1} << 15); }

private:
    static constexpr double kPoorFit = 1e-3;
    const Plan& plan_;
    const Signal& signal_;
    const Options& options_;
    Sweep& sweep_;
    double idle_ = -1.0, square_norm_ = -1.0;
    bool for_good_ = false;
};

} // namespace terzetto
