// SPDX-License-Identifier: GPL-3.0-or-later
#include "factorisation.hpp"

#include "denormals.hpp"
#include "mask.hpp"

#include <algorithm>

namespace terzetto {

namespace {

double madds(const Plan& plan, const Signal& signal) {
    return 20.0 * static_cast<double>(plan.quad_row_count()) * static_cast<double>(signal.bins);
}

class Autoencoder {
public:
    Autoencoder(const Signal& signal, TemplateRows& encoder, TemplateRows& decoder, const std::uint8_t* mask,
                const Options& options)
        : signal_(signal), options_(options), loops_(*options.loops), span_(signal.span(loops_)), encoder_(encoder),
          decoder_(decoder), plan_(encoder.rows(), signal.frames, 1, nonzero_bits(mask, encoder.rows(), signal.frames)),
          mask_(plan_, mask), h_(plan_, nullptr),
          crew_(worker_count(options.threads, plan_.parts.size(), madds(plan_, signal))),
          sweep_(plan_, signal_, loops_, crew_), exact_(plan_, signal_, options_, sweep_),
          encoder_rows_(encoder, span_), decoder_rows_(decoder, span_) {
        const bool euclid = options.loss == Loss::euclidean;
        // The encoder's step has two sums: two parts share a pair, with which the decoder's step has one sum each.
        pairs_ = plan_.pairs_of_parts();
        for (const Part& part : plan_.parts) sums_.emplace_back(part, signal.bins, euclid ? 0 : 1, euclid, !euclid);
        if (!euclid) return;
        for (const Part& pair : pairs_) pair_sums_.emplace_back(pair, signal.bins, 2, false, false);
        if (crew_.workers() > pairs_.size()) masked_ = std::make_unique<Activations>(plan_, nullptr);
    }

    std::vector<double> run(AlignedFloats& h) {
        if (options_.eps > 0.0f && options_.iterations > 0) {
            clear_inactive(plan_, encoder_);
            clear_inactive(plan_, decoder_);
        }
        if (options_.loss == Loss::euclidean)
            euclidean();
        else
            kullback_leibler();
        sums_.clear();
        pair_sums_.clear();
        masked_.reset();
        h = AlignedFloats(plan_.templates * plan_.frames);
        h_.write(h.data());
        return std::move(losses_);
    }

private:
    bool go_on(int done) const {
        if (!options_.progress || !options_.progress_due(done)) return true;
        const FlushDenormals usual(false);
        return options_.progress(done, options_.iterations);
    }

    // H' = M o (W_E V)
    void encode_strip(StripWork& work, std::size_t strip) {
        float* h = h_.block(strip);
        work.bind_templates(encoder_rows_);
        work.bind_result(h);
        loops_.project(work.quads(), work.quad_count(), span_);
        mask_.apply(strip, h);
    }

    void euclidean() {
        const Coactivity together(plan_);
        std::vector<float> gram(plan_.templates * plan_.templates, 0.0f), weight;
        std::vector<double> hht(plan_.active.size() * plan_.active.size());
        SumTable decoder_sums(plan_), above(plan_), below(plan_);
        for (std::size_t p = 0; p < plan_.parts.size(); ++p) decoder_sums.add(pairs_[p / 2], pair_sums_[p / 2], p % 2);
        for (std::size_t g = 0; g < pairs_.size(); ++g) {
            above.add(pairs_[g], pair_sums_[g], 0);
            below.add(pairs_[g], pair_sums_[g], 1);
        }
        bool for_loss = false;
        // H' and, unless it is the last time, the numerators of the decoder with it.
        const auto encode_pass = [&](bool more) {
            sweep_.pass([&](StripWork& work, std::size_t strip, std::size_t p) {
                encode_strip(work, strip);
                if (!more) return;
                work.add_outer(plan_.parts[p], sums_[p], h_.block(strip));
                work.add_terms(pairs_[p / 2], pair_sums_[p / 2], p % 2, h_.block(strip));
                loops_.spread(work.quads(), work.quad_count(), span_);
            });
            if (more) together.sum_activation_gram(plan_, sums_, hht);
        };
        encode_pass(options_.iterations > 0);
        for (int done = 1; done <= options_.iterations; ++done) {
            together.fill_weights(hht, weight);
            refine_columns(crew_, plan_, decoder_, decoder_sums, options_.eps, scratch_, [&](const TemplateBlock& b) {
                return loops_.refine_euclidean(b, together.pair_start.data(), together.partner.data(), weight.data());
            });
            together.gram(loops_, crew_, decoder_rows_, span_, gram);
            encoder_sums(gram);
            refine_columns(crew_, plan_, encoder_, above, options_.eps, scratch_, [&](const TemplateBlock& b) {
                loops_.refine_encoder(b, below.get(), nullptr, nullptr);
                return 0.0;
            });
            for_loss = options_.loss_due(done);
            encode_pass(done < options_.iterations || (for_loss && !exact_.tiny()));
            if (for_loss) record(hht, gram);
            if (!go_on(done)) return;
        }
    }

    // A = M o (W_D^T V), B = M o (W_D^T W_D H'); A V^T, B V^T. A pair of parts is one job, or, where there are more
    // threads than pairs, one for each of the two sums; the sums are the same.
    void encoder_sums(const std::vector<float>& gram) {
        const auto make_a = [&](StripWork& work, std::size_t strip, float* a) {
            work.bind_templates(decoder_rows_);
            work.bind_result(a);
            loops_.project(work.quads(), work.quad_count(), span_);
            mask_.apply(strip, a);
        };
        const auto add_a = [&](StripWork& work, std::size_t g, const float* a) {
            work.add_terms(pairs_[g], pair_sums_[g], 0, a);
        };
        const auto add_b = [&](StripWork& work, std::size_t strip, std::size_t g) {
            float* b = work.block_b.data();
            work.gather_gram(gram);
            loops_.gram_times(b, h_.block(strip), work.gram(), work.strip().count);
            mask_.apply(strip, b);
            work.add_terms(pairs_[g], pair_sums_[g], 1, b);
        };
        if (masked_) {
            sweep_.pass([&](StripWork& work, std::size_t s, std::size_t) { make_a(work, s, masked_->block(s)); });
            sweep_.turn();
        }
        sweep_.pass(pairs_, masked_ ? 2 : 1, [&](StripWork& work, std::size_t strip, std::size_t job) {
            if (!masked_) {
                make_a(work, strip, work.block_a.data());
                add_a(work, job, work.block_a.data());
                add_b(work, strip, job);
            } else if (job % 2 == 0) {
                add_a(work, job / 2, masked_->block(strip));
            } else {
                add_b(work, strip, job / 2);
            }
            loops_.spread(work.quads(), work.quad_count(), span_);
        });
    }

    // ||V||^2 - 2 <W_D, V H'^T> + <W_D^T W_D, H' H'^T>; the numerators are left where they are.
    void record(const std::vector<double>& hht, const std::vector<float>& gram) {
        double loss = 0.0;
        if (!exact_.tiny()) {
            const std::size_t n = plan_.active.size();
            double fit = 0.0;
            for (std::size_t p = 0; p < sums_.size(); ++p)
                for (const std::uint32_t r : plan_.parts[p].rows)
                    fit += loops_.inner(decoder_.row(r), pair_sums_[p / 2].numerator(pairs_[p / 2], p % 2, r),
                                        decoder_.padded());
            loss = exact_.square_norm() - 2.0 * fit;
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t j = 0; j < n; ++j)
                    loss +=
                        hht[i * n + j] * static_cast<double>(gram[plan_.active[i] * plan_.templates + plan_.active[j]]);
        }
        if (exact_.needed(loss)) loss = exact_.of(decoder_rows_, h_);
        losses_.push_back(loss);
    }

    void kullback_leibler() {
        std::vector<float> row_weight(plan_.active.size());
        std::vector<double> losses(plan_.parts.size());
        bool pending = false; // the loss of the state that the next decoder pass starts from
        const SumTable sums(plan_, sums_, 0);
        const TemplateRows masked = masked_input();
        std::vector<const float*> base;
        for (const std::uint32_t r : plan_.active) base.push_back(masked.row(r));

        sweep_.pass([&](StripWork& work, std::size_t strip, std::size_t) { encode_strip(work, strip); });
        for (int done = 1; done <= options_.iterations; ++done) {
            std::fill(losses.begin(), losses.end(), 0.0);
            decoder_pass(pending, losses);
            if (pending) losses_.push_back(total(losses) + exact_.idle());
            sum_activations(row_weight);
            refine_columns(crew_, plan_, decoder_, sums, options_.eps, scratch_, [&](const TemplateBlock& b) {
                loops_.refine_kl(b, row_weight.data());
                return 0.0;
            });
            encoder_pass();
            for (std::size_t i = 0; i < plan_.active.size(); ++i) {
                const std::uint32_t r = plan_.active[i];
                row_weight[i] = loops_.row_sum(decoder_rows_.row(r), decoder_rows_.tail(r), span_);
            }
            refine_columns(crew_, plan_, encoder_, sums, options_.eps, scratch_, [&](const TemplateBlock& b) {
                loops_.refine_encoder(b, nullptr, base.data(), row_weight.data());
                return 0.0;
            });
            sweep_.pass([&](StripWork& work, std::size_t strip, std::size_t) { encode_strip(work, strip); });
            pending = options_.loss_due(done);
            if (!go_on(done)) break;
        }
        if (pending) losses_.push_back(exact_.of(decoder_rows_, h_));
    }

    // M V^T: the encoder's denominators but for a factor per row.
    TemplateRows masked_input() {
        TemplateRows masked(encoder_.rows(), signal_.bins);
        sweep_.pass([&](StripWork& work, std::size_t strip, std::size_t p) {
            mask_.write(strip, work.block_a.data());
            work.add_terms(plan_.parts[p], sums_[p], 0, work.block_a.data());
            loops_.spread(work.quads(), work.quad_count(), span_);
        });
        for (std::size_t p = 0; p < sums_.size(); ++p) {
            for (const std::uint32_t r : plan_.parts[p].rows) {
                float* from = sums_[p].numerator(plan_.parts[p], 0, r);
                float* to = masked.row(r);
                for (std::size_t k = 0; k < masked.padded(); ++k) {
                    to[k] += from[k];
                    from[k] = 0.0f;
                }
            }
        }
        return masked;
    }

    void decoder_pass(bool with_loss, std::vector<double>& losses) {
        sweep_.pass([&](StripWork& work, std::size_t strip, std::size_t p) {
            float* h = h_.block(strip);
            work.bind_templates(decoder_rows_);
            work.bind_activations(h);
            if (with_loss) losses[p] += loops_.loss(work.quads(), work.quad_count(), span_, options_.loss);
            work.add_terms(plan_.parts[p], sums_[p], 0, h);
            loops_.ratio_spread(work.quads(), work.quad_count(), span_, options_.eps);
            for (std::size_t i = 0; i < work.strip().count; ++i) {
                double& to = sums_[p].activation[plan_.parts[p].place[work.row(i)]];
                for (std::size_t f = 0; f < kStripFrames; ++f) to += static_cast<double>(h[i * kStripFrames + f]);
            }
        });
    }

    void encoder_pass() {
        sweep_.pass([&](StripWork& work, std::size_t strip, std::size_t p) {
            float* a = work.block_a.data();
            work.bind_templates(decoder_rows_);
            work.bind_activations(h_.block(strip));
            work.bind_result(a);
            loops_.ratio_project(work.quads(), work.quad_count(), span_, options_.eps, work.scratch.data(), nullptr);
            mask_.apply(strip, a);
            work.add_terms(plan_.parts[p], sums_[p], 0, a);
            loops_.spread(work.quads(), work.quad_count(), span_);
        });
    }

    void sum_activations(std::vector<float>& row_weight) {
        std::vector<double> weight(plan_.templates, 0.0);
        for (std::size_t p = 0; p < sums_.size(); ++p) {
            for (std::size_t i = 0; i < sums_[p].activation.size(); ++i)
                weight[plan_.parts[p].rows[i]] += sums_[p].activation[i];
            std::fill(sums_[p].activation.begin(), sums_[p].activation.end(), 0.0);
        }
        for (std::size_t i = 0; i < plan_.active.size(); ++i)
            row_weight[i] = static_cast<float>(weight[plan_.active[i]]);
    }

    const Signal signal_;
    const Options& options_;
    const InnerLoops& loops_;
    const Span span_;
    TemplateRows& encoder_;
    TemplateRows& decoder_;
    const Plan plan_;
    const Mask mask_;
    Activations h_;
    Crew crew_;
    Sweep sweep_;
    ExactLoss exact_;
    const RowsView encoder_rows_, decoder_rows_;
    std::vector<PartSums> sums_;
    std::vector<Part> pairs_;
    std::vector<PartSums> pair_sums_;
    std::unique_ptr<Activations> masked_; // M o (W_D^T V), where it outlives its strip
    std::vector<AlignedFloats> scratch_;
    std::vector<double> losses_;
};

} // namespace

std::vector<double> nae(const Signal& signal, TemplateRows& encoder, TemplateRows& decoder, const std::uint8_t* mask,
                        AlignedFloats& h, const Options& options) {
    const FlushDenormals flush;
    return Autoencoder(signal, encoder, decoder, mask, options).run(h);
}

void encode(const Signal& signal, const float* encoder, std::size_t templates, const std::uint8_t* mask, float* h,
            const InnerLoops& loops, int threads) {
    const FlushDenormals flush;
    const Plan plan(templates, signal.frames, 0, nonzero_bits(mask, templates, signal.frames));
    const Mask bits(plan, mask);
    Activations result(plan, nullptr);
    const Span span = signal.span(loops);
    Crew crew(worker_count(threads, plan.parts.size(), madds(plan, signal) / 5.0));
    Sweep sweep(plan, signal, loops, crew);
    const RowsView rows(encoder, templates, signal.bins, span);
    sweep.pass([&](StripWork& work, std::size_t strip, std::size_t) {
        work.bind_templates(rows);
        work.bind_result(result.block(strip));
        loops.project(work.quads(), work.quad_count(), span);
        bits.apply(strip, result.block(strip));
    });
    result.write(h);
}

} // namespace terzetto
