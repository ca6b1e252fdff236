// SPDX-License-Identifier: GPL-3.0-or-later
// The bridge with both ends in one process (two threads on one mapping, so that the thread sanitizer sees everything)
// and in two; what the audio thread calls, without allocation and with no system call but the wake.
#include "bridge.hpp"

#include "allocation_count.hpp"

#include <cstdio>
#include <functional>
#include <set>
#include <thread>

#include <sys/resource.h>
#include <sys/wait.h>
#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

namespace terzetto::bridge {

// Sees inside: a second end on the same mapping, and the counters.
struct Probe {
    static Header& header(HostEnd& host) { return host.mapped_.header(); }
    static std::unique_ptr<EngineEnd> engine_on(HostEnd& host) {
        return std::unique_ptr<EngineEnd>(
            new EngineEnd(Mapped(Memory::view(host.mapped_.memory), host.mapped_.format)));
    }
    static void count_from(HostEnd& host, std::uint32_t start) {
        Header& h = header(host);
        for (auto* counter : {&h.requests_posted, &h.requests_taken, &h.responses_posted, &h.responses_taken, &h.bell})
            counter->store(start);
        for (Mailbox* box : {&h.to_engine, &h.to_host}) box->written = start, box->taken = start;
    }
};

} // namespace terzetto::bridge

namespace {

using namespace terzetto::bridge;

int failures = 0;

void expect(bool holds, const char* what, int line) {
    if (holds) return;
    std::fprintf(stderr, "line %d: %s\n", line, what);
    ++failures;
}
#define EXPECT(what) expect((what), #what, __LINE__)

std::string refusal(const std::function<void()>& act) {
    try {
        act();
    } catch (const BridgeError& error) {
        return error.what();
    }
    return "not refused";
}
bool says(const std::string& text, const char* part) {
    if (text.find(part) != std::string::npos) return true;
    std::fprintf(stderr, "'%s' does not say '%s'\n", text.c_str(), part);
    return false;
}

// What a hop holds follows from its tag alone, so that either side can tell a whole one from a torn one.
struct Content {
    std::vector<float> audio;
    std::vector<std::uint8_t> events;

    Content(Tag tag, std::uint32_t channels, std::uint32_t frames, std::uint32_t salt) {
        std::uint32_t x = tag.epoch * 2654435761u + tag.hop * 40503u + salt;
        const auto next = [&x] { return x = x * 1664525u + 1013904223u; };
        for (std::uint32_t i = 0; i < channels * frames; ++i) audio.push_back(static_cast<float>(next() >> 8));
        const std::uint32_t bytes = tag.hop % 7 == 0 ? kEventBytes : next() % 300;
        for (std::uint32_t i = 0; i < bytes; ++i) events.push_back(static_cast<std::uint8_t>(next() >> 24));
    }
    template <class View>
    bool same(const View& view) const {
        return view.event_bytes == events.size() &&
               std::memcmp(view.audio, audio.data(), audio.size() * sizeof(float)) == 0 &&
               (events.empty() || std::memcmp(view.events, events.data(), events.size()) == 0);
    }
};

bool post(HostEnd& host, Tag tag) {
    const Format& format = host.format();
    const Content content(tag, format.channels, format.hop, 1);
    const float* channels[kMaxChannels] = {content.audio.data(),
                                           content.audio.data() + (format.channels - 1) * format.hop};
    const Transport transport{static_cast<std::int64_t>(tag.hop) * format.hop, 120.0 + tag.epoch, tag.hop & 1, 1};
    return host.post(tag, channels, transport, content.events.data(),
                     static_cast<std::uint32_t>(content.events.size()));
}

bool respond(EngineEnd& engine, Tag tag) {
    const Format& format = engine.format();
    const Content content(tag, format.channels, format.hop + kTail, 2);
    return engine.respond(tag, content.audio.data(), content.events.data(),
                          static_cast<std::uint32_t>(content.events.size()));
}

// Answers until the host closes; returns how many requests were out of order or torn, and those not answered.
int serve(EngineEnd& engine) {
    int wrong = 0;
    Tag last{};
    bool first = true;
    RequestView view{};
    while (engine.host_alive()) {
        engine.beat();
        if (!engine.wait(10.0)) return wrong + 1;
        while (engine.front(view)) {
            const Format& format = engine.format();
            wrong += !Content(view.tag, format.channels, format.hop, 1).same(view);
            wrong += view.transport.position != static_cast<std::int64_t>(view.tag.hop) * format.hop ||
                     view.transport.tempo != 120.0 + view.tag.epoch || view.transport.playing != (view.tag.hop & 1);
            wrong += !first && view.tag != Tag{last.epoch, last.hop + 1} && view.tag != Tag{last.epoch + 1, 0};
            first = false;
            last = view.tag;
            wrong += !respond(engine, view.tag);
            engine.pop();
        }
    }
    return wrong;
}

// Posts hops as fast as they go, raising the epoch now and then with hops still in flight; counts what is wrong.
int drive(HostEnd& host, std::uint32_t epochs, std::uint32_t hops) {
    int wrong = 0;
    std::uint32_t under_way = 0;
    ResponseView view{};
    for (std::uint32_t epoch = 1; epoch <= epochs; ++epoch) {
        std::uint32_t posted = 0, expected = 0;
        // All but the last epoch are left with hops under way: these come back in the next, as stale.
        const std::uint32_t enough = epoch == epochs ? hops : hops - kSlots / 2;
        while (expected < enough) {
            while (posted < hops && under_way < kSlots && post(host, {epoch, posted})) ++posted, ++under_way;
            if (!host.wait_response(10.0)) return wrong + 1;
            while (host.front(view)) {
                const Format& format = host.format();
                wrong += !Content(view.tag, format.channels, format.hop + kTail, 2).same(view);
                if (view.tag.epoch == epoch)
                    wrong += view.tag != Tag{epoch, expected++};
                else
                    wrong += view.tag.epoch + 1 != epoch;
                host.pop();
                --under_way;
            }
        }
    }
    return wrong;
}

Format small(std::uint32_t channels = 2) {
    return {48000.0, channels, 32, 1};
}

void check_ring() {
    auto host = HostEnd::create(small());
    auto engine = EngineEnd::attach(host->name());
    for (std::uint32_t start : {0u, 0u - 5u}) { // the second runs over 2^32
        Probe::count_from(*host, start);
        ResponseView response{};
        RequestView request{};
        EXPECT(!host->front(response) && !engine->front(request));
        host->pop(), engine->pop(); // of an empty ring: nothing
        EXPECT(!host->front(response) && !engine->front(request));
        std::uint32_t hop = 0;
        while (post(*host, {3, hop})) ++hop;
        EXPECT(hop == kSlots);
        for (std::uint32_t i = 0; i < kSlots; ++i) {
            EXPECT(engine->front(request) && request.tag == (Tag{3, i}) &&
                   Content(request.tag, 2, 32, 1).same(request));
            EXPECT(respond(*engine, request.tag));
            engine->pop();
        }
        EXPECT(!engine->front(request) && post(*host, {3, kSlots}));
        EXPECT(!respond(*engine, {3, kSlots})); // the host has taken none
        for (std::uint32_t i = 0; i < kSlots; ++i) {
            EXPECT(host->front(response) && response.tag == (Tag{3, i}));
            EXPECT(Content(response.tag, 2, 32 + kTail, 2).same(response));
            host->pop();
        }
        EXPECT(!host->front(response) && respond(*engine, {3, kSlots}) && host->front(response));
        // Events that are too long for a slot are refused whole, and on reading never exceed it.
        const std::vector<std::uint8_t> events(kEventBytes + 1);
        const std::vector<float> audio(2 * (32 + kTail));
        const float* channels[] = {audio.data(), audio.data()};
        EXPECT(!host->post({3, 99}, channels, {}, events.data(), kEventBytes + 1));
        EXPECT(!engine->respond({3, 99}, audio.data(), events.data(), kEventBytes + 1));
        // Counters that make no sense give no hop.
        Probe::header(*host).requests_posted += 1000;
        EXPECT(!engine->front(request));
    }
}

void check_signs() {
    auto host = HostEnd::create(small(1));
    EXPECT(host->engine_pid() == 0 && !host->engine_alive() && host->engine_silent_for() > 1e300 && !host->ready());
    auto engine = EngineEnd::attach(host->name());
    EXPECT(engine->format().channels == 1 && engine->format().hop == 32 && engine->format().sample_rate == 48000.0);
    EXPECT(host->engine_pid() == this_process() && host->engine_alive() && engine->host_alive());
    EXPECT(host->engine_silent_for() < 1e6); // it beats before it shows
    EXPECT(engine->host_silent_for() > 1e300);
    engine->beat(), host->beat();
    EXPECT(host->engine_silent_for() < 1e6 && engine->host_silent_for() < 1e6);
    engine->set_latency(8918), engine->set_ready(true);
    EXPECT(host->latency() == 8918 && host->ready());
    EXPECT(says(refusal([&] { EngineEnd::attach(host->name()); }), "already served"));
    engine.reset();
    EXPECT(!host->ready() && host->engine_pid() == 0 && !host->engine_alive());
    engine = EngineEnd::attach(host->name());
    const std::string name = host->name();
    host->close();
    EXPECT(!engine->host_alive() && engine->wait(0.0));
    EXPECT(says(refusal([&] { EngineEnd::attach(name); }), "has gone"));
    EXPECT(says(refusal([&] { Probe::engine_on(*host); }), "closed"));
    host.reset();
    EXPECT(!engine->host_alive()); // its mapping lives on
}

void check_states() {
    auto host = HostEnd::create(small());
    auto engine = EngineEnd::attach(host->name());
    Probe::count_from(*host, 0u - 2u);
    const std::string large(10u << 20, 'x');
    for (const std::string& text : {std::string("{}"), std::string(), large, std::string("ä\0b", 4)}) {
        EXPECT(!host->take_state() && !engine->take_state());
        EXPECT(host->send_state(text) && !host->send_state("next"));
        EXPECT(engine->send_state(text + "!") && !engine->send_state("next"));
        EXPECT(engine->take_state() == text && host->take_state() == text + "!");
    }
    EXPECT(host->send_state(std::string(kMailboxBytes, 'y')) && engine->take_state()->size() == kMailboxBytes);
    EXPECT(!host->send_state(std::string(kMailboxBytes + 1, 'y')) && !engine->take_state());
    host->send_state("short");
    Probe::header(*host).to_engine.bytes = kMailboxBytes + 1;
    EXPECT(!engine->take_state() && host->send_state("again") && engine->take_state() == std::string("again"));
}

void check_refusals() {
    for (const Format& format : {Format{0.0, 2, 512, 1}, Format{48000.0, 3, 512, 1}, Format{48000.0, 0, 512, 1},
                                 Format{48000.0, 2, 31, 1}, Format{48000.0, 2, kMaxHop + 1, 1}})
        EXPECT(says(refusal([&] { HostEnd::create(format); }), "cannot make a segment"));
    EXPECT(says(refusal([] { EngineEnd::attach("/terzetto-1-999999"); }), "insert the plugin again"));
    for (const char* name : {"", "/", "/other-1-0", "/terzetto-1/../x", "terzetto-1-0"})
        EXPECT(says(refusal([&] { EngineEnd::attach(name); }), "not the name"));

    auto host = HostEnd::create(small());
    Header& header = Probe::header(*host);
    const auto attach = [&] { return refusal([&] { EngineEnd::attach(host->name()); }); };
    header.identity.version = kVersion + 1;
    EXPECT(says(attach(), ("layout version " + std::to_string(kVersion + 1)).c_str()));
    header.identity.version = kVersion;
    header.identity.format.channels = 7;
    EXPECT(says(attach(), "damaged: 7 channels"));
    header.identity.format.channels = 1; // another layout than its size says
    EXPECT(says(attach(), "damaged"));
    header.identity.format.channels = 2;
    header.identity.slots = 8;
    EXPECT(says(attach(), "8 slots"));
    header.identity.slots = kSlots;
    header.magic = 0;
    EXPECT(says(attach(), "not finished"));
    header.magic = 12345;
    EXPECT(says(attach(), "not one of Terzetto's"));
    header.magic = magic_word();
    header.identity.host_started += 1; // the number was used again
    EXPECT(says(attach(), "has ended"));
    header.identity.host_started -= 1;
    EXPECT(attach() == "not refused");
}

// In a process of its own; its exit status is what it returns, 99 if it was killed.
int in_child(const std::function<int()>& act) {
    const pid_t child = ::fork();
    if (child == 0) {
        int status = 98;
        try {
            status = act();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "child: %s\n", error.what());
        }
        ::_exit(status);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

void check_no_room() {
    // Files may not grow: what a full /dev/shm looks like.
    const int status = in_child([] {
        const rlimit limit{1 << 16, 1 << 16};
        ::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &limit);
        return says(refusal([] { HostEnd::create(small()); }), "cannot make shared memory") ? 0 : 1;
    });
    EXPECT(status == 0);
}

void check_sweep() {
    auto living = HostEnd::create(small());
    std::string names[2];
    for (std::string& name : names) {
        int ends[2];
        EXPECT(::pipe(ends) == 0);
        const int status = in_child([&] {
            const std::string made = HostEnd::create(small()).release()->name(); // dies without closing
            return ::write(ends[1], made.data(), made.size()) > 0 ? 0 : 1;
        });
        char text[64] = {};
        EXPECT(status == 0 && ::read(ends[0], text, sizeof text - 1) > 0);
        ::close(ends[0]), ::close(ends[1]);
        name = text;
    }
    { // half-made: no magic yet
        Memory memory = Memory::open(names[1]);
        memory.map(sizeof(Header));
        std::memset(memory.data(), 0, sizeof(Header));
    }
    EXPECT(says(refusal([&] { EngineEnd::attach(names[0]); }), "has ended"));
    const auto removed = sweep();
    const std::set<std::string> all(removed.begin(), removed.end());
    EXPECT(all.count(names[0]) == 1 && all.count(names[1]) == 1 && all.count(living->name()) == 0);
    EXPECT(EngineEnd::attach(living->name()) != nullptr);
    // A fork's copy of an end leaves the segment alone.
    EXPECT(in_child([&] { return living.reset(), 0; }) == 0);
    EXPECT(EngineEnd::attach(living->name()) != nullptr);
}

void check_processes(std::uint32_t hops) {
    auto host = HostEnd::create({44100.0, 2, 64, 1});
    const pid_t child = ::fork();
    if (child == 0) {
        int wrong = 99;
        try {
            auto engine = EngineEnd::attach(host->name());
            engine->set_ready(true);
            wrong = serve(*engine);
        } catch (const std::exception& error) {
            std::fprintf(stderr, "engine: %s\n", error.what());
        }
        ::_exit(wrong > 90 ? 90 : wrong);
    }
    EXPECT(drive(*host, 4, hops) == 0);
    EXPECT(host->engine_alive() && host->engine_pid() == static_cast<std::uint64_t>(child));
    host->close();
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT(!host->engine_alive());
}

void check_engine_after_engine() {
    auto host = HostEnd::create(small());
    EXPECT(post(*host, {1, 0}));
    const int status = in_child([&] { // takes nothing, dies attached
        return EngineEnd::attach(host->name()).release()->host_alive() ? 0 : 1;
    });
    EXPECT(status == 0 && host->engine_pid() != 0 && !host->engine_alive());
    auto engine = EngineEnd::attach(host->name());
    RequestView view{};
    EXPECT(host->engine_alive() && engine->front(view) && view.tag == (Tag{1, 0}));
}

void check_threads(std::uint32_t hops) {
    auto host = HostEnd::create(small());
    Probe::count_from(*host, 0u - hops);
    auto engine = Probe::engine_on(*host);
    int served = -1;
    std::thread server([&] { served = serve(*engine); });
    std::atomic<bool> done{false};
    std::thread keepers([&] { // beats and states go on beside the rings
        for (int count = 0; !done; ++count) {
            host->beat();
            (void)host->engine_silent_for();
            const std::string text(static_cast<std::size_t>(count % 5000), 'k');
            if (host->send_state(text)) EXPECT(engine->take_state() == text);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    });
    EXPECT(drive(*host, 4, hops) == 0);
    host->close();
    server.join();
    done = true;
    keepers.join();
    EXPECT(served == 0);
}

// Each direction alone: no answer orders what the reader does before what the writer does next, only the counters.
void check_one_way(std::uint32_t hops) {
    auto host = HostEnd::create(small());
    auto engine = Probe::engine_on(*host);
    const auto pass = [hops](const auto& hand_over, const auto& take) {
        std::thread writer([&] {
            for (std::uint32_t hop = 0; hop < hops;)
                if (hand_over(Tag{1, hop}))
                    ++hop;
                else
                    std::this_thread::sleep_for(std::chrono::microseconds(50)); // full
        });
        int wrong = 0;
        for (std::uint32_t hop = 0; hop < hops;)
            if (const int found = take(Tag{1, hop}); found >= 0)
                wrong += found, ++hop;
            else
                std::this_thread::sleep_for(std::chrono::microseconds(50)); // empty
        writer.join();
        return wrong;
    };
    EXPECT(pass([&](Tag tag) { return post(*host, tag); },
                [&](Tag tag) {
                    RequestView view{};
                    if (!engine->front(view)) return -1;
                    const bool right = view.tag == tag && Content(tag, 2, 32, 1).same(view);
                    engine->pop();
                    return right ? 0 : 1;
                }) == 0);
    EXPECT(pass([&](Tag tag) { return respond(*engine, tag); },
                [&](Tag tag) {
                    ResponseView view{};
                    if (!host->front(view)) return -1;
                    const bool right = view.tag == tag && Content(tag, 2, 32 + kTail, 2).same(view);
                    host->pop();
                    return right ? 0 : 1;
                }) == 0);
}

void check_wake() {
    // Whoever is not woken sleeps on for a minute; then it is found out.
    constexpr double minute = 60.0;
    const std::uint64_t start = now_nanoseconds();
    const auto overslept = [start] { return now_nanoseconds() - start > 50000000000u; };
    auto host = HostEnd::create(small());
    auto engine = EngineEnd::attach(host->name()); // by name: the two see the memory at different places
    EXPECT(!engine->wait(0.0) && !engine->wait(-1.0) && !engine->wait(0.002) && !host->wait_response(0.002));
    std::atomic<int> woken{0};
    std::thread server([&] {
        RequestView view{};
        for (; engine->wait(minute) && engine->front(view); ++woken) {
            respond(*engine, view.tag);
            engine->pop();
        }
        woken += 1000; // closed
    });
    for (std::uint32_t hop = 0; hop < 20 && !overslept(); ++hop) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2)); // lets it fall asleep
        ResponseView view{};
        EXPECT(post(*host, {1, hop}) && host->wait_response(minute) && host->front(view) && view.tag.hop == hop);
        host->pop();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    host->close();
    server.join();
    EXPECT(woken == 1020 && !overslept());
}

// What the audio threads of both sides do in a block.
int realtime_blocks(HostEnd& host, EngineEnd& engine, const std::vector<float>& audio,
                    const std::vector<std::uint8_t>& events) {
    int wrong = 0;
    for (std::uint32_t hop = 0; hop < 50; ++hop) {
        const float* channels[] = {audio.data(), audio.data()};
        RequestView request{};
        ResponseView response{};
        wrong += !host.post({1, hop}, channels, {}, events.data(), static_cast<std::uint32_t>(events.size()));
        wrong += !engine.front(request) || !engine.respond(request.tag, audio.data(), events.data(), 5);
        engine.pop();
        wrong += !host.front(response) || response.tag.hop != hop;
        host.pop();
        wrong += host.latency() != 0 || host.ready();
    }
    for (std::uint32_t hop = 0; hop < 2 * kSlots; ++hop) { // a ring that is full
        const float* channels[] = {audio.data(), audio.data()};
        wrong += host.post({2, hop}, channels, {}, nullptr, 0) != (hop < kSlots);
    }
    return wrong;
}

void check_realtime() {
    auto host = HostEnd::create(small());
    auto engine = EngineEnd::attach(host->name());
    const std::vector<float> audio(2 * (32 + kTail), 0.5f);
    const std::vector<std::uint8_t> events(100, 7);
    if (allocation_count::start()) {
        const long before_all = allocation_count::calls;
        delete new std::string(100, 'x');
        EXPECT(allocation_count::calls > before_all); // the count counts
        const long before = allocation_count::calls;
        const int wrong = realtime_blocks(*host, *engine, audio, events);
        const long after = allocation_count::calls;
        EXPECT(wrong == 0 && before == after);
    }
#if defined(__linux__)
    // Any system call but the futex (and the exit) kills. The sanitizers' own would too.
    if (kSanitized) return;
    Probe::count_from(*host, 0);
    const int status = in_child([&] {
        const sock_filter rules[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 1, 0),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        };
        const sock_fprog program{sizeof rules / sizeof *rules, const_cast<sock_filter*>(rules)};
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            return 77;
        return realtime_blocks(*host, *engine, audio, events);
    });
    if (status == 77) std::fprintf(stderr, "bridge: this system filters no system calls, those go unchecked\n");
    EXPECT(status == 0 || status == 77);
#endif
}

} // namespace

int main() {
    sweep();
    const std::uint32_t hops = kSanitized ? 1000 : 5000;
    check_ring();
    check_signs();
    check_states();
    check_refusals();
    check_no_room();
    check_sweep();
    check_processes(hops);
    check_engine_after_engine();
    check_realtime();
    check_wake(); // threads from here on: no fork after
    check_one_way(hops);
    check_threads(hops);
    for (const std::string& name : Memory::list(std::string(kPrefix) + std::to_string(this_process()) + "-"))
        expect(false, name.c_str(), __LINE__); // left behind
    if (failures) return 1;
#ifdef TERZETTO_WAKE_BY_FUTEX
    std::puts("bridge: woken by futex, all well");
#else
    std::puts("bridge: woken by polling, all well");
#endif
    return 0;
}
