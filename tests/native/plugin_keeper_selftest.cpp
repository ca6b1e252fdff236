// SPDX-License-Identifier: GPL-3.0-or-later
// What a plugin does beside the audio: OSC bytes, saved states, and the keeper's way to an engine, with a server that
// answers on a real socket.
#include "plugin_engine.hpp"

#include "instance.hpp"
#include "launch.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

namespace {

using namespace terzetto;
using namespace terzetto::plugin;
namespace fs = std::filesystem;

int failures = 0;

void expect(bool holds, const char* what, const std::string& seen = {}) {
    if (holds) return;
    std::fprintf(stderr, "FAILED: %s (%s)\n", what, seen.c_str());
    ++failures;
}

template <typename Condition>
bool soon(Condition condition, int milliseconds = 15000) {
    for (int i = 0; i < milliseconds / 5 && !condition(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return condition();
}

void check_osc() {
    std::vector<std::uint8_t> bytes(4096);
    EventWriter writer(bytes.data(), 4096);
    const Argument arguments[4] = {Argument::of_int(-5), Argument::of_float(0.25f), Argument::of_text("a take.mid"),
                                   Argument::of_bool(true)};
    expect(writer.write(17, "/terzetto/hands/x", arguments, 4), "an event is written");
    while (writer.write(3, "/terzetto/hands/y", arguments, 1)) {
    }
    expect(writer.bytes() <= 4096, "never beyond the memory");
    EventReader reader(bytes.data(), writer.bytes());
    Event event;
    expect(reader.next(event) && event.frame == 17 && event.address == "/terzetto/hands/x" && event.count == 4,
           "an event is read");
    expect(event.arguments[0].number == -5.0 && event.arguments[1].number == 0.25 &&
               event.arguments[2].text == "a take.mid" && event.arguments[3].number == 1.0,
           "its arguments are read");
    int more = 0;
    while (reader.next(event)) ++more;
    expect(more > 50, "all of them are read", std::to_string(more));

    std::mt19937 random(7);
    for (int round = 0; round < 200000; ++round) {
        // Exactly as much memory as there are bytes: a read beyond is the address sanitizer's to find.
        std::vector<std::uint8_t> spoilt(bytes.begin(), bytes.begin() + static_cast<int>(random() % 256));
        for (int i = 0; i < 6 && !spoilt.empty(); ++i)
            spoilt[random() % spoilt.size()] = static_cast<std::uint8_t>(random());
        EventReader fuzzed(spoilt.data(), static_cast<std::uint32_t>(spoilt.size()));
        int events = 0;
        while (fuzzed.next(event) && events < 1000) ++events;
        expect(events < 100, "rubbish ends");
    }
}

void check_state() {
    Parameters parameters(*find_instrument("hands"));
    State state(parameters);
    const auto left = static_cast<std::uint32_t>(parameters.find("left_gain"));
    parameters.set(left, -6.1f);
    state.set_latency(48000.0, 8918);
    const std::string text = state.text();
    expect(text.find("\"left_gain\":-6.1") != std::string::npos, "values are short decimals", text);
    expect(text.find("\"solo\":\"off\"") != std::string::npos, "choices are their names", text);

    Parameters others(*find_instrument("hands"));
    State other(others);
    expect(other.take(text).empty() && others.value(left) == -6.1f && other.latency(48000.0) == 8918, "round trip");
    expect(other.text() == text, "the same text again", other.text());
    const std::string foreign =
        "{\"format\":\"terzetto-plugin\",\"version\":1,\"instrument\":\"hands\",\"mood\":[1],"
        "\"values\":{\"left_gain\":999,\"solo\":\"right\",\"later\":3},\"engine\":{\"hands\":{}}}";
    expect(other.take(foreign).empty(), "a state with more in it is taken");
    expect(others.value(left) == 12.0f, "values are clipped", std::to_string(others.value(left)));
    expect(other.text().find("\"mood\":[1]") != std::string::npos &&
               other.text().find("\"later\":3") != std::string::npos,
           "unknown keys survive", other.text());
    expect(other.take_engine("{\"hands\":{\"learned\":\"x\"}}") && !other.take_engine("rubbish"), "the engine's part");

    // What the engine kept before it had taken up a state must not undo it.
    const std::uint64_t before_it = other.brought();
    expect(other.take(foreign).empty() && other.brought() == before_it + 1, "another engine's part is counted");
    expect(other.take(foreign).empty() && other.brought() == before_it + 1, "the same one is not");
    expect(other.text_for_engine().find("\"brought\":" + std::to_string(before_it + 1)) != std::string::npos &&
               other.text().find("brought") == std::string::npos,
           "the engine is told the count, a project is not", other.text_for_engine());
    const std::string late = ",\"hands\":{\"learned\":\"y\"}}";
    expect(!other.take_engine("{\"brought\":" + std::to_string(before_it) + late) &&
               other.text().find("learned") == std::string::npos,
           "an engine's part from before is left out", other.text());
    expect(other.take_engine("{\"brought\":" + std::to_string(before_it + 1) + late) &&
               other.text().find("\"learned\":\"y\"") != std::string::npos &&
               other.text().find("brought") == std::string::npos,
           "one from after is kept", other.text());

    const std::string before = other.text(), deep(200000, '[');
    for (const std::string& damaged :
         {std::string("{"), std::string(), std::string("[]"), deep, "{\"engine\":" + deep,
          text.substr(0, text.size() / 2),
          std::string("{\"format\":\"terzetto-plugin\",\"version\":2,\"instrument\":\"hands\"}"),
          std::string("{\"format\":\"terzetto-plugin\",\"version\":1,\"instrument\":\"drums\"}"),
          std::string("{\"format\":\"terzetto-plugin\",\"version\":1,\"instrument\":\"hands\",\"values\":3}"),
          std::string("\xff\xfe\x00{", 4)}) {
        expect(!other.take(damaged).empty(), "a damaged state is refused", damaged.substr(0, 60));
        expect(other.text() == before, "and changes nothing");
    }
}

// A server as docs/live.md describes it: server.json, a UDP port, an engine for every segment that is attached.
class Server {
public:
    explicit Server(const fs::path& runtime) : runtime_(runtime) {
        socket_ = ::socket(AF_INET, SOCK_DGRAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0) std::perror("bind");
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
        const timeval patience{0, 50000};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        std::ofstream(runtime_ / "server.json")
            << "{\"pid\": " << ::getpid() << ", \"osc_port\": " << ntohs(address.sin_port) << ", \"version\": \"0\"}";
        thread_ = std::thread([this] { run(); });
    }
    ~Server() {
        stop_ = true;
        thread_.join();
        ::close(socket_);
        fs::remove(runtime_ / "server.json");
    }
    test::EngineHabits habits;
    std::atomic<int> attached{0}, states{0};

private:
    void run() {
        std::map<std::string, std::unique_ptr<test::Engine>> engines;
        while (!stop_) {
            char packet[1024];
            const auto size = ::recv(socket_, packet, sizeof packet, 0);
            if (size <= 0) continue;
            const std::string text(packet, static_cast<std::size_t>(size));
            expect(text.rfind("/terzetto/attach", 0) == 0, "attach is what is sent", text);
            const std::size_t from = text.find("/terzetto-"), to = text.find('\0', from);
            const std::string segment = text.substr(from, to - from);
            if (engines.count(segment) != 0) continue; // idempotent
            habits.states = &states;
            engines[segment] = std::make_unique<test::Engine>(segment, habits);
            habits.dies_at_hop = -1;
            ++attached;
        }
    }
    fs::path runtime_;
    int socket_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

struct Ears final : Listener {
    std::atomic<int> latencies{0}, states{0};
    void latency_changed() override { ++latencies; }
    void parameters_changed() override {}
    void state_changed() override { ++states; }
};

// Plays a constant through an instance until `done`; the largest sample step.
template <typename Done>
float play_until(Instance& instance, Done done) {
    float last = 0.0f, steepest = 0.0f;
    std::vector<float> left(256), right(256);
    for (int i = 0; i < 4000 && !done(); ++i) {
        std::fill(left.begin(), left.end(), 0.5f);
        std::fill(right.begin(), right.end(), 0.5f);
        float* audio[2] = {left.data(), right.data()};
        instance.process(audio, 256, Block{});
        for (const float sample : left) {
            if (last != 0.0f) steepest = std::max(steepest, std::abs(sample - last));
            last = sample;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return steepest;
}

void check_keeper(const fs::path& folder) {
    Ears ears;
    const Stream stream{48000.0, 2, 256, true, false};
    {
        Instance instance(*find_instrument("hands"), ears);
        instance.prepare(stream);
        expect(instance.view().condition == Condition::Absent, "no engine installed: absent");
        expect(instance.view().status.find("terzetto plugins install") != std::string::npos, "and what to do",
               instance.view().status);
        expect(instance.latency() == 1024, "the pipeline's latency alone");

        Server server(folder / "run");
        server.habits.latency = 512;
        server.habits.dies_at_hop = 60;
        expect(soon([&] { return instance.view().condition == Condition::Running; }),
               "a server that comes up is found");
        const float first = play_until(instance, [&] { return server.attached >= 2; });
        expect(server.attached == 2, "an engine that hangs gets a successor");
        expect(soon([&] { return instance.view().condition == Condition::Running; }), "and runs again");
        // 0.5 dry and -0.25 wet, faded in 64 frames: no step is larger.
        expect(first <= 0.75f / 64.0f + 1e-5f, "and nobody hears a click", std::to_string(first));
        expect(instance.latency() == 1024 + 512, "the engine's latency is reported",
               std::to_string(instance.latency()));
        expect(soon([&] { return ears.latencies > 0; }), "the host is told");
        expect(soon([&] { return instance.state().find("\"48000\":512") != std::string::npos; }), "and it is saved",
               instance.state());
        const int before = server.states;
        instance.set_state("{\"format\":\"terzetto-plugin\",\"version\":1,\"instrument\":\"hands\","
                           "\"engine\":{\"hands\":{\"take_start\":1}}}");
        play_until(instance, [&] { return server.states > before; });
        expect(server.states == before + 1 && server.attached == 2, "another engine state: the engine takes it up");
        instance.release();
        expect(instance.view().condition == Condition::Absent, "released");
    }
    bool left_over = false;
    for (const auto& entry : fs::directory_iterator("/dev/shm"))
        left_over =
            left_over || entry.path().filename().string().rfind("terzetto-" + std::to_string(::getpid()), 0) == 0;
    expect(!left_over, "no segment is left behind");
}

void check_start(const fs::path& folder) {
    Ears ears;
    std::ofstream(folder / "config" / "engine.json")
        << "{\"command\": [\"/bin/sh\", \"-c\", \"echo $PYTHONPATH$LD_LIBRARY_PATH. $$ >> '" << folder.string()
        << "/started'; exec sleep 600\"]}";
    ::setenv("PYTHONPATH", "/nowhere", 1);
    {
        Instance one(*find_instrument("hands"), ears), two(*find_instrument("drums"), ears);
        one.prepare({48000.0, 2, 256, true, false}, false);
        two.prepare({48000.0, 2, 256, true, false}, false);
        expect(soon([&] { return fs::exists(folder / "started") && fs::file_size(folder / "started") > 0; }),
               "the engine is started");
        expect(one.view().condition == Condition::Starting, "and waited for");
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    ::unsetenv("PYTHONPATH");
    std::ifstream file(folder / "started");
    std::string line, second;
    std::getline(file, line);
    expect(!std::getline(file, second), "two instances start one engine", second);
    expect(line.rfind(". ", 0) == 0, "without the host's paths", line);
    ::kill(std::atoi(line.c_str() + 2), SIGKILL);
    expect(::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD, "it is not the host's child: no zombie");

    std::ofstream(folder / "config" / "engine.json") << "{\"command\": [\"/not/there\"]}";
    Instance instance(*find_instrument("hands"), ears);
    instance.prepare({48000.0, 2, 256, true, false}, false);
    expect(instance.view().condition == Condition::Failed, "a program that is not there");
    expect(instance.view().status.find("/not/there") != std::string::npos, "is named", instance.view().status);
}

void check_kill() {
    expect(!end_user_of_segment(1, "/terzetto-1-1"), "what does not map the segment is not ended");
    expect(!end_engine(static_cast<std::uint64_t>(::getppid()), {"terzetto", "serve"}), "nor is another program");
}

} // namespace

int main() {
    const fs::path folder = fs::temp_directory_path() / ("terzetto-keeper-" + std::to_string(::getpid()));
    for (const auto& [variable, name] :
         {std::pair{"TERZETTO_RUNTIME_DIR", "run"}, {"TERZETTO_CONFIG_DIR", "config"}, {"TERZETTO_STATE_DIR", "log"}}) {
        fs::create_directories(folder / name);
        ::setenv(variable, (folder / name).c_str(), 1);
    }
    check_osc();
    check_state();
    check_kill();
    check_keeper(folder);
    check_start(folder);
    fs::remove_all(folder);
    if (failures == 0) std::puts("plugin_keeper_selftest: all good");
    return failures == 0 ? 0 : 1;
}
