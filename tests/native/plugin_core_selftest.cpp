// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin's stream against an engine that runs for real in this process: what is played, when, and what happens
// when the engine is late, dies, or is far too slow.
#include "plugin_engine.hpp"
#include "realtime_watch.hpp"

#include "pipeline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <random>

namespace {

using namespace terzetto;
using namespace terzetto::plugin;
using test::Engine;
using test::EngineHabits;

int failures = 0;

void expect(bool holds, const char* what, double number = 0.0) {
    if (holds) return;
    std::fprintf(stderr, "FAILED: %s (%g)\n", what, number);
    ++failures;
}

using Sound = std::vector<std::vector<float>>; // channels x frames

Sound tune(std::uint32_t channels, std::uint32_t frames) {
    Sound sound(channels, std::vector<float>(frames));
    for (std::uint32_t c = 0; c < channels; ++c)
        for (std::uint32_t t = 0; t < frames; ++t)
            sound[c][t] = std::min(1.0f, static_cast<float>(t) / 500.0f) *
                          (0.7f * std::sin(0.03f * static_cast<float>(t) + static_cast<float>(c)) +
                           0.2f * std::sin(0.11f * static_cast<float>(t)));
    return sound;
}

// An instance without a keeper: ends and engines are made here.
struct Bench final : Rescue {
    Stream stream;
    EngineHabits habits;
    Parameters parameters;
    Link link;
    std::vector<std::unique_ptr<bridge::HostEnd>> ends;
    std::vector<std::unique_ptr<Engine>> engines;
    std::uint32_t replaced = 0;
    bool absent = false;
    Pipeline pipeline{parameters, link, *this};

    Bench(Stream s, EngineHabits h, bool with_engine = true, const char* instrument = "hands")
        : stream(s), habits(h), parameters(*find_instrument(instrument)), absent(!with_engine) {
        if (with_engine) connect();
        pipeline.prepare(stream, 0);
        if (!stream.realtime) pipeline.settle();
    }
    ~Bench() override {
        for (auto& end : ends) end->close();
        engines.clear();
    }
    Engine& engine() { return *engines.back(); }
    void connect() {
        ends.push_back(bridge::HostEnd::create({stream.sample_rate, stream.channels, stream.hop(), stream.realtime}));
        engines.push_back(std::make_unique<Engine>(ends.back()->name(), habits));
        while (!ends.back()->ready()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        link.offer(ends.back().get());
    }
    bool wait_ready() noexcept override { return !absent; }
    bool replace(bridge::HostEnd*) noexcept override {
        ++replaced;
        connect();
        return true;
    }
    // In real time the engine is given its time here, not by a clock.
    void wait_for_engine() {
        const auto hops = sent;
        for (int i = 0; i < 5000 && engine().hops() < hops; ++i)
            std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    std::uint64_t position = 0;
    std::uint32_t sent = 0;

    void run(float* const* audio, std::uint32_t frames, bool wait = true, bool bypass = false) {
        Block block;
        block.realtime = stream.realtime;
        block.bypass = bypass;
        {
            if (stream.realtime) {
                const test::RealtimeWatch watch;
                pipeline.process(audio, frames, block);
            } else {
                pipeline.process(audio, frames, block);
            }
        }
        position += frames;
        sent = static_cast<std::uint32_t>(position / stream.hop());
        if (stream.realtime && wait && !absent) wait_for_engine();
    }
    Sound play(const Sound& sound, const std::vector<std::uint32_t>& blocks) {
        Sound result = sound;
        const auto frames = static_cast<std::uint32_t>(sound[0].size());
        for (std::uint32_t done = 0, i = 0; done < frames; ++i) {
            const std::uint32_t count = std::min(blocks[i % blocks.size()], frames - done);
            float* audio[2] = {result[0].data() + done, result.back().data() + done};
            run(audio, count);
            done += count;
        }
        return result;
    }
};

// Output t against gain x input (t - delay); the largest difference.
double difference(const Sound& in, const Sound& out, std::uint32_t delay, float gain, std::size_t from = 0,
                  std::size_t to = SIZE_MAX) {
    double worst = 0.0;
    for (std::size_t c = 0; c < in.size(); ++c)
        for (std::size_t t = from; t < std::min(out[c].size(), to); ++t) {
            const float expected = t < delay ? 0.0f : gain * in[c][t - delay];
            worst = std::max(worst, static_cast<double>(std::abs(out[c][t] - expected)));
        }
    return worst;
}

double steepest(const Sound& sound) {
    double worst = 0.0;
    for (const auto& channel : sound)
        for (std::size_t t = 1; t < channel.size(); ++t)
            worst = std::max(worst, static_cast<double>(std::abs(channel[t] - channel[t - 1])));
    return worst;
}

// A click is a step beyond the larger of the dry and wet signals' own; a fade of 64 frames between them adds a 64th
// of their distance.
double click_bound(const Sound& dry) {
    double peak = 0.0;
    for (const auto& channel : dry)
        for (const float sample : channel) peak = std::max(peak, static_cast<double>(std::abs(sample)));
    return steepest(dry) + 1.5 * peak / bridge::kTail + 1e-5;
}

void check_blocks() {
    const std::vector<std::vector<std::uint32_t>> cuts = {{64}, {512}, {8192}, {1, 0, 511, 77, 3000}, {20000, 5}};
    for (const std::uint32_t channels : {1u, 2u})
        for (const bool low_latency : {false, true}) {
            const Sound sound = tune(channels, 40000);
            Sound first;
            for (const auto& blocks : cuts) {
                Stream stream{48000.0, channels, 512, false, low_latency};
                EngineHabits habits;
                habits.latency = 700;
                Bench bench(stream, habits);
                expect(bench.pipeline.latency() == stream.pipeline() + 700, "latency after settling",
                       bench.pipeline.latency());
                const Sound out = bench.play(sound, blocks);
                expect(difference(sound, out, bench.pipeline.latency(), -0.5f) == 0.0, "offline: the engine's sound");
                if (first.empty()) first = out;
                expect(out == first, "offline: the same samples whatever the blocks");
                expect(bench.pipeline.late_hops() == 0, "offline: no late hop");
                expect(!bench.engine().had_offline(false), "offline: every hop says so");
                expect(bench.engine().gaps() == 0, "an epoch's hops follow each other");
            }
        }
}

void check_realtime() {
    for (const std::uint32_t block : {64u, 128u, 441u, 480u, 512u, 1024u, 4096u, 8192u}) {
        Stream stream{44100.0, 2, block, true, false};
        EngineHabits habits;
        habits.latency = 100;
        Bench bench(stream, habits);
        const Sound sound = tune(2, 60000);
        const Sound out = bench.play(sound, {block});
        expect(difference(sound, out, bench.pipeline.latency(), -0.5f, bench.pipeline.latency()) == 0.0,
               "real time: the engine's sound, block", block);
        expect(bench.pipeline.late_hops() == 0, "real time: late hops, block", block);
        expect(!bench.engine().had_offline(true), "real time: no hop is said to be offline, block", block);
    }
}

void check_absent() {
    for (const bool realtime : {true, false}) {
        Bench bench({48000.0, 2, 512, realtime, false}, {}, false);
        const Sound sound = tune(2, 20000);
        expect(difference(sound, bench.play(sound, {300, 212}), 1024, 1.0f) == 0.0, "no engine: dry, delayed");
        expect(bench.pipeline.late_hops() == 0, "no engine: nothing is late");
    }
}

void check_late() {
    Bench bench({48000.0, 2, 256, true, false}, {});
    Sound sound = tune(2, 256 * 400);
    Sound out = sound;
    for (std::uint32_t i = 0; i < 400; ++i) {
        const bool held = i % 100 >= 60 && i % 100 < 75;
        bench.engine().hold(held);
        float* audio[2] = {out[0].data() + 256 * i, out[1].data() + 256 * i};
        bench.run(audio, 256, !held);
        if (!held) bench.wait_for_engine();
    }
    expect(bench.pipeline.late_hops() > 10, "hops that come late are counted", bench.pipeline.late_hops());
    expect(steepest(out) <= click_bound(sound), "fades between dry and wet do not click", steepest(out));
    const std::uint32_t latency = bench.pipeline.latency();
    expect(difference(sound, out, latency, -0.5f, 2000, 256 * 58) == 0.0, "wet before");
    expect(difference(sound, out, latency, 1.0f, 256 * 70, 256 * 75) == 0.0, "dry meanwhile, at the same latency");
    expect(difference(sound, out, latency, -0.5f, 256 * 385) == 0.0, "wet again");
}

void check_full_ring() {
    Bench bench({48000.0, 1, 512, true, false}, {});
    constexpr std::uint32_t held_to = 20 + bridge::kSlots + 24, blocks = held_to + 60;
    Sound sound = tune(1, 512 * blocks);
    Sound out = sound;
    const auto left = static_cast<std::uint32_t>(bench.parameters.find("left_gain"));
    const auto solo = static_cast<std::uint32_t>(bench.parameters.find("solo"));
    for (std::uint32_t i = 0; i < blocks; ++i) {
        const bool held = i >= 20 && i < held_to;
        bench.engine().hold(held);
        if (i == 10) bench.parameters.set(solo, 2.0f);
        if (i == held_to - 15) bench.parameters.set(left, -12.0f);
        if (i == held_to - 10) bench.pipeline.to_engine.post("/terzetto/hands/score", 's', 0.0, "/a/take.mid");
        if (i == held_to - 9) bench.pipeline.to_engine.post("/terzetto/hands/a", 's', 0.0, "/a/b.wav", "snare");
        float* audio[1] = {out[0].data() + 512 * i};
        bench.run(audio, 512, false);
        if (!held) std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
    expect(bench.engine().value("/terzetto/hands/left_gain") == -12.0, "a change while the ring was full arrives");
    expect(bench.engine().value("/terzetto/hands/solo") == 2.0, "a choice travels as its index");
    const std::vector<std::string> asked = {"/a/take.mid", "snare", "/a/b.wav"};
    expect(bench.engine().texts() == asked, "what the editor asks for arrives once, with what it is about");
    expect(bench.engine().gaps() == 0, "an epoch has no gaps", bench.engine().gaps());
    expect(bench.engine().epochs() >= 2, "after a full ring an epoch begins", bench.engine().epochs());
    expect(steepest(out) <= click_bound(sound), "a full ring does not click", steepest(out));
}

void check_reset() {
    Bench bench({48000.0, 2, 512, false, false}, {});
    const Sound sound = tune(2, 12288);
    const Sound first = bench.play(sound, {512});
    bench.pipeline.reset();
    expect(bench.play(sound, {512}) == first, "after a reset the same again: nothing leaks");
}

void check_engine_parameters() {
    Bench bench({48000.0, 1, 512, true, false}, {});
    std::vector<std::uint8_t> bytes(1024);
    EventWriter writer(bytes.data(), 1024);
    const Argument gain = Argument::of_float(-7.5f), text = Argument::of_text("Learned 88 keys.");
    writer.write(0, "/terzetto/hands/left_gain", &gain, 1);
    writer.write(0, "/terzetto/status", &text, 1);
    bytes.resize(writer.bytes());
    bench.engine().tell(bytes);
    bench.play(tune(1, 512 * 8), {512});
    const auto left = static_cast<std::uint32_t>(bench.parameters.find("left_gain"));
    expect(bench.parameters.value(left) == -7.5f, "the engine sets a parameter", bench.parameters.value(left));
    expect(bench.parameters.take_told() == std::uint64_t{1} << left, "the host is told");
    expect(bench.engine().value("/terzetto/hands/left_gain") == 0.0, "it is not sent back");
    const Letter* letter = bench.pipeline.from_engine.front();
    expect(letter && std::string_view(letter->text.data()) == "Learned 88 keys.", "the status arrives");
}

void check_latency_change() {
    Bench bench({48000.0, 1, 256, true, false}, {});
    const Sound sound = tune(1, 256 * 200);
    Sound out = sound;
    for (std::uint32_t i = 0; i < 200; ++i) {
        if (i == 100) {
            bench.engine().hold(true);
            bench.engine().set_latency(333);
            for (int waited = 0; waited < 5000 && bench.ends.back()->latency() != 333; ++waited)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        float* audio[1] = {out[0].data() + 256 * i};
        bench.run(audio, 256, i < 100);
    }
    expect(bench.pipeline.latency() == 1024 + 333, "a new latency is reported", bench.pipeline.latency());
    expect(steepest(out) <= click_bound(sound), "a new latency does not click", steepest(out));
    expect(difference(sound, out, 1024 + 333, 1.0f, 256 * 150) == 0.0, "the dry signal follows");
}

void check_bypass() {
    Bench bench({48000.0, 2, 512, true, false}, {});
    const Sound sound = tune(2, 512 * 40);
    Sound out = sound;
    for (std::uint32_t i = 0; i < 40; ++i) {
        float* audio[2] = {out[0].data() + 512 * i, out[1].data() + 512 * i};
        bench.run(audio, 512, true, i >= 10 && i < 30);
    }
    expect(difference(sound, out, 1024, 1.0f, 512 * 11, 512 * 30) == 0.0, "bypass plays the delayed dry signal");
    expect(difference(sound, out, 1024, -0.5f, 512 * 31) == 0.0, "wet after bypass");
    expect(steepest(out) <= click_bound(sound), "bypass does not click", steepest(out));
}

void check_offline_death() {
    const Sound sound = tune(2, 120000);
    for (const std::int64_t hop : {3, 40, 200}) {
        EngineHabits habits;
        habits.latency = 900;
        habits.dies_at_hop = hop;
        Bench bench({48000.0, 2, 512, false, false}, habits);
        bench.habits.dies_at_hop = -1; // its successors live
        const Sound out = bench.play(sound, {777});
        expect(bench.replaced == 1, "offline: a dead engine is replaced", bench.replaced);
        expect(difference(sound, out, bench.pipeline.latency(), -0.5f) == 0.0, "offline: nobody hears it die");
        expect(!bench.pipeline.given_up(), "offline: not given up");
    }
    EngineHabits hopeless;
    hopeless.spoils_audio = true;
    Bench bench({48000.0, 2, 512, false, false}, hopeless);
    const Sound out = bench.play(sound, {512});
    expect(bench.pipeline.given_up() && bench.replaced == 2, "offline: three failures are enough", bench.replaced);
    expect(difference(sound, out, 1024, 1.0f) == 0.0, "offline: dry then, and never what is no number");
}

// What the engine is told of the song position, block by block.
void check_position() {
    struct Step {
        std::int64_t told;
        std::uint32_t playing;
    };
    struct Case {
        const char* what;
        bool realtime, of_output;
        std::vector<Step> steps; // blocks of 512
        std::vector<std::int64_t> expected;
        std::uint32_t epochs; // with the one of settling, offline
    };
    const std::int64_t late = 1024; // the latency
    const std::vector<Case> cases = {
        {"a host without a transport is counted", false, false, {{0, 0}, {0, 0}, {0, 0}}, {0, 512, 1024}, 2},
        {"a host that plays is believed", false, false, {{4096, 1}, {4608, 1}, {5120, 1}}, {4096, 4608, 5120}, 2},
        {"told once, counted on", false, false, {{4096, 1}, {4096, 1}, {4096, 1}}, {4096, 4608, 5120}, 2},
        {"offline a jump begins anew", false, false, {{4096, 1}, {4608, 1}, {0, 1}}, {4096, 4608, 0}, 3},
        {"a loop in real time does not", true, false, {{4096, 1}, {4608, 1}, {0, 1}}, {4096, 4608, 0}, 1},
        {"where play begins the stream begins", false, false, {{0, 0}, {0, 0}, {9, 1}}, {0, 512, 9}, 3},
        {"before the song, in real time",
         true,
         true,
         {{-1536, 0}, {-1024, 0}, {-512, 0}, {0, 1}},
         {-1536, 0, 512, 1024},
         1},
        {"of the output", false, true, {{4096, 1}, {4608, 1}}, {4096 + late, 4608 + late}, 2},
    };
    for (const Case& each : cases) {
        Bench bench({48000.0, 1, 512, each.realtime, false}, {});
        for (const Step& step : each.steps) {
            Block block;
            block.realtime = each.realtime;
            block.transport_of_output = each.of_output;
            block.transport = {step.told, 120.0, step.playing, 1};
            std::vector<float> sound(512);
            float* audio[1] = {sound.data()};
            bench.pipeline.process(audio, 512, block);
        }
        for (int i = 0; i < 2000 && bench.engine().positions().size() < each.expected.size() + !each.realtime; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        std::vector<std::int64_t> seen = bench.engine().positions();
        if (!each.realtime && !seen.empty()) seen.erase(seen.begin()); // of settling
        expect(seen == each.expected, each.what, seen.empty() ? -1.0 : static_cast<double>(seen.back()));
        expect(bench.engine().epochs() == each.epochs, each.what, bench.engine().epochs());
    }
}

// An export in Ardour: silence, then a pre-roll in which the song comes in, then the song is heard from its beginning.
void check_pre_roll() {
    for (const std::uint32_t block_frames : {64u, 256u, 1000u}) {
        for (const std::uint32_t lead : {0u, 10000u}) {
            EngineHabits habits;
            habits.latency = block_frames == 64 ? 512 : block_frames == 256 ? 700 : 0;
            Bench bench({48000.0, 1, 256, false, false}, habits);
            const std::uint32_t latency = bench.pipeline.latency(), begin = lead + latency;
            Sound sound = tune(1, 40000), in(1, std::vector<float>(lead)), out;
            in[0].insert(in[0].end(), sound[0].begin(), sound[0].end());
            out = in;
            for (std::uint32_t done = 0; done < out[0].size();) {
                const std::uint32_t to = done < begin ? begin : static_cast<std::uint32_t>(out[0].size());
                const std::uint32_t count = std::min(block_frames, to - done);
                Block block;
                block.realtime = false;
                block.transport_of_output = true;
                const bool heard = done >= begin;
                block.transport = {std::int64_t{done} - begin, 120.0, heard, 1};
                if (!heard && block_frames == 64) block.transport = {};
                float* audio[1] = {out[0].data() + done};
                bench.pipeline.process(audio, count, block);
                done += count;
            }
            const Sound song = {std::vector<float>(out[0].begin() + begin, out[0].end())};
            expect(difference(sound, song, 0, -0.5f) == 0.0, "an export holds the song from its first frame", lead);
            std::vector<std::int64_t> seen = bench.engine().positions();
            const auto from = std::find(seen.rbegin(), seen.rend(), 0).base();
            expect(std::distance(from, seen.end()) > 30, "the song's hops lie on the song", block_frames);
            for (auto it = from; it != seen.end(); ++it)
                expect(*it == 512 * (1 + std::distance(from, it)), "each where it belongs", static_cast<double>(*it));
        }
    }
}

// What comes in at a frame goes out a latency later, as the sound does: (frame, pitch, velocity).
using Played = std::vector<std::array<std::uint64_t, 3>>;

Played play_notes(Bench& bench, const Played& notes, std::uint32_t frames, const std::vector<std::uint32_t>& blocks,
                  std::uint64_t bypass_from = ~std::uint64_t{0}) {
    Played played;
    std::vector<float> sound(20000);
    for (std::uint32_t done = 0, i = 0; done < frames; ++i) {
        const std::uint32_t count = std::min(blocks[i % blocks.size()], frames - done);
        std::vector<Note> given;
        for (const auto& [at, pitch, velocity] : notes)
            if (at >= done && at < done + count)
                given.push_back({static_cast<std::uint32_t>(at - done), static_cast<std::uint8_t>(pitch),
                                 static_cast<std::uint8_t>(velocity), 10});
        Block block;
        block.realtime = bench.stream.realtime;
        block.bypass = done >= bypass_from;
        block.notes = given.data();
        block.note_count = static_cast<std::uint32_t>(given.size());
        float* audio[1] = {sound.data()};
        bench.pipeline.process(audio, count, block);
        for (std::uint32_t n = 0; n < bench.pipeline.notes_out_count(); ++n) {
            const Note& note = bench.pipeline.notes_out()[n];
            expect(note.channel == 10 && note.frame < count, "a note lies in its block, on its channel", note.frame);
            played.push_back({done + note.frame, note.pitch, note.velocity});
        }
        done += count;
        bench.sent = done / bench.stream.hop();
        if (bench.stream.realtime) bench.wait_for_engine();
    }
    return played;
}

void check_notes() {
    const Played notes = {{0, 36, 100}, {511, 38, 90}, {512, 36, 0}, {3000, 42, 1}, {3100, 42, 0}, {9000, 38, 0}};
    EngineHabits habits;
    habits.echoes = true;
    habits.latency = 300;
    for (const bool realtime : {false, true}) {
        const std::vector<std::vector<std::uint32_t>> cuts = {{64}, {512}, {1, 0, 511, 77, 300}};
        for (const auto& blocks : cuts) {
            Bench bench({48000.0, 1, 512, realtime, false}, habits, true, "drums");
            Played expected;
            for (const auto& [at, pitch, velocity] : notes)
                expected.push_back({at + bench.pipeline.latency(), pitch, velocity});
            expect(play_notes(bench, notes, 16384, blocks) == expected, "notes go out a latency later", blocks[0]);
        }
    }
    { // what sounds when the stream begins anew is ended
        Bench bench({48000.0, 1, 512, false, false}, habits, true, "drums");
        play_notes(bench, {{0, 36, 100}}, 4096, {512});
        bench.pipeline.reset();
        const Played ended = play_notes(bench, {}, 4096, {512});
        expect(ended == Played{{0, 36, 0}}, "a reset ends what sounds", static_cast<double>(ended.size()));
    }
    { // bypassed, nothing begins
        Bench bench({48000.0, 1, 512, false, false}, habits, true, "drums");
        const Played heard = play_notes(bench, {{0, 36, 100}, {2048, 38, 100}, {2100, 36, 0}}, 8192, {512}, 2560);
        expect(heard == Played{{1324, 36, 100}, {3424, 36, 0}}, "bypass begins no notes");
    }
    { // an engine that dies is told again what came in, and nothing goes out twice
        EngineHabits mortal = habits;
        mortal.dies_at_hop = 12;
        Bench bench({48000.0, 1, 512, false, false}, mortal, true, "drums");
        bench.habits.dies_at_hop = -1;
        Played expected;
        for (const auto& [at, pitch, velocity] : notes) expected.push_back({at + 1324, pitch, velocity});
        expect(play_notes(bench, notes, 16384, {777}) == expected, "nobody hears an engine die in the notes");
        expect(bench.replaced == 1, "it did die", bench.replaced);
    }
}

// Quarter notes go with the position.
void check_quarters() {
    Bench bench({48000.0, 1, 512, false, false}, {});
    for (int i = 0; i < 3; ++i) {
        Block block;
        block.realtime = false;
        block.transport = {48000 + 1000 * i, 120.0, 1, 1, 0, 2.0 + 1000.0 * i / 24000.0};
        std::vector<float> sound(1000);
        float* audio[1] = {sound.data()};
        bench.pipeline.process(audio, 1000, block);
    }
    // The last hop's answer is not played yet, so nobody has waited for it.
    for (int i = 0; i < 2000 && bench.engine().quarters().size() < 6; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::vector<double> seen = bench.engine().quarters();
    for (std::size_t hop = 1; hop < seen.size(); ++hop) // the first is of settling
        expect(std::abs(seen[hop] - (2.0 + 512.0 * static_cast<double>(hop - 1) / 24000.0)) < 1e-9,
               "a hop's quarter notes", seen[hop]);
    expect(seen.size() == 6, "hops with quarter notes", static_cast<double>(seen.size()));
}

void check_slow() {
    EngineHabits habits;
    habits.seconds_a_hop = 10.0 * 512.0 / 48000.0; // ten times slower than real time
    Bench bench({48000.0, 1, 512, false, false}, habits);
    const Sound sound = tune(1, 512 * 16);
    const Sound out = bench.play(sound, {2048});
    expect(difference(sound, out, 1024, -0.5f) == 0.0, "offline: a slow engine is waited for");
    expect(bench.pipeline.late_hops() == 0, "offline: no dry block", bench.pipeline.late_hops());
}

} // namespace

int main() {
    check_absent();
    check_blocks();
    check_realtime();
    check_late();
    check_full_ring();
    check_reset();
    check_engine_parameters();
    check_latency_change();
    check_bypass();
    check_offline_death();
    check_position();
    check_notes();
    check_quarters();
    check_pre_roll();
    check_slow();
    if (failures == 0) std::puts("plugin_core_selftest: all good");
    return failures == 0 ? 0 : 1;
}
