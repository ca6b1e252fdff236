// SPDX-License-Identifier: GPL-3.0-or-later
#include "editor.hpp"

#include <utility>

namespace terzetto::plugin {

namespace {

constexpr int kWidth = 560, kMargin = 16, kHeader = 46, kScore = 58, kFader = 92, kFaders = 196, kRow = 36,
              kFooter = 30, kStatus = 34, kPattern = 40, kWide = 800, kVoices = 104, kVoiceGap = 8, kMarked = 340;
constexpr std::uint32_t kRowOfChoices = 5; // more are a list
constexpr int kLeastWidth = 520, kLeastWide = 680, kLeastFaders = 150, kLeastRow = 30, kMostWidth = 1400,
              kMostHeight = 1000;

void prepare(juce::Label& label, float height, juce::Colour colour, juce::Justification where) {
    label.setFont(juce::Font(height));
    label.setColour(juce::Label::textColourId, colour);
    label.setJustificationType(where);
    label.setBorderSize({});
    label.setInterceptsMouseClicks(false, false);
}

juce::Colour colour_of(Condition condition, juce::Colour accent) {
    switch (condition) {
    case Condition::Running:
        return accent;
    case Condition::Starting:
    case Condition::Late:
        return juce::Colour(0xffe0b24a);
    case Condition::Absent:
    case Condition::Failed:
        break;
    }
    return juce::Colour(0xffdd6257);
}

} // namespace

template <typename Kind, typename... Rest>
void Editor::add(std::vector<Control*>& row, HostParameter& parameter, Rest&&... rest) {
    controls_.push_back(std::make_unique<Kind>(parameter, std::forward<Rest>(rest)...));
    row.push_back(controls_.back().get());
    addAndMakeVisible(*controls_.back());
}

Editor::Editor(Processor& processor)
    : AudioProcessorEditor(processor), processor_(processor), look_(processor.instance().instrument().name) {
    setLookAndFeel(&look_);
    add_controls();
    prepare(whereabouts_, 14.0f, Look::quiet(), juce::Justification::centredRight);
    prepare(late_, 14.0f, Look::quiet(), juce::Justification::centredRight);
    prepare(status_, 13.0f, Look::text(), juce::Justification::centredLeft);
    status_.setMinimumHorizontalScale(0.9f);
    status_.setTitle("Status");
    for (juce::Label* label : {&whereabouts_, &late_, &status_}) addAndMakeVisible(label);
    setTitle(processor.getName());
    order_focus();
    const int frame = kHeader + (score_ || sources_ ? kScore + kMargin : 0) + (pattern_ ? kPattern + kMargin : 0) +
                      (voices_.empty() ? 0 : kVoices + kMargin) + kMargin + kFooter + kStatus;
    const bool plain = faders_.empty() && !pad_;
    setResizeLimits(voices_.empty() ? kLeastWidth : kLeastWide,
                    frame + juce::jmax(plain ? 60 : kLeastFaders, row_count() * kLeastRow), kMostWidth, kMostHeight);
    setResizable(true, true);
    setSize(pattern_ || sources_ ? kWide : kWidth, frame + juce::jmax(plain      ? 60
                                                                      : sources_ ? kMarked
                                                                                 : kFaders,
                                                                      row_count() * kRow));
    sendLookAndFeelChange(); // the parts were made before they had a look
    refresh();
    startTimerHz(10);
}

Editor::~Editor() {
    setLookAndFeel(nullptr);
}

void Editor::add_controls() {
    HostParameter *across = processor_.parameter("pad_x"), *up = processor_.parameter("pad_y");
    if (across && up) {
        pad_ = std::make_unique<Pad>(*across, *up);
        addAndMakeVisible(*pad_);
    }
    if (HostParameter* method = processor_.parameter("method")) {
        sources_ = std::make_unique<SourcePanel>(processor_, *method);
        addAndMakeVisible(*sources_);
    }
    const InstrumentInfo& instrument = processor_.instance().instrument();
    if (instrument.plays) {
        pattern_ = std::make_unique<PatternPanel>(processor_);
        addAndMakeVisible(*pattern_);
    }
    for (std::uint32_t i = 0; i < instrument.count; ++i) {
        const ParameterInfo& info = instrument.parameters[i];
        HostParameter& parameter = *processor_.parameter(info.name);
        if (info.meter || (pad_ && (&parameter == across || &parameter == up)) || add_voice(info.name)) continue;
        if (std::string_view(info.name) == "learn") {
            score_ = std::make_unique<ScorePanel>(processor_, parameter);
            addAndMakeVisible(*score_);
        } else if (info.type == ParameterType::trigger_) {
            add<Trigger>(triggers_, parameter);
        } else if (info.scope == Scope::Shared || info.type == ParameterType::bool_) {
            add<Switch>(footer_, parameter);
        } else if (info.type == ParameterType::choice_) {
            if (info.choice_count > kRowOfChoices)
                add<Menu>(rows_, parameter);
            else
                add<Choices>(rows_, parameter);
        } else {
            const bool upright = std::string_view(info.unit) == "dB";
            add<Fader>(upright ? faders_ : rows_, parameter, upright);
        }
    }
}

// Whether a parameter is a voice's; its first one adds the voice.
bool Editor::add_voice(std::string_view parameter) {
    for (const std::string_view end : {"_x", "_y", "_source"}) {
        if (parameter.size() <= end.size() || parameter.substr(parameter.size() - end.size()) != end) continue;
        const std::string voice(parameter.substr(0, parameter.size() - end.size()));
        if (!VoicePad::has(processor_, voice)) return false;
        if (end == "_x") {
            voices_.push_back(std::make_unique<VoicePad>(processor_, voice));
            addAndMakeVisible(*voices_.back());
        }
        return true;
    }
    return false;
}

// As the eye goes, from the score to the footer.
void Editor::order_focus() {
    int order = 0;
    const auto next = [&order](juce::Component* part) {
        if (part) part->setExplicitFocusOrder(++order);
    };
    next(score_.get());
    next(sources_.get());
    for (Control* control : faders_) next(control);
    next(pad_.get());
    for (const auto& row : {rows_, triggers_, footer_})
        for (Control* control : row) next(control);
    for (auto& voice : voices_) next(voice.get());
}

void Editor::refresh() {
    const View before = std::move(view_);
    view_ = processor_.instance().view();
    for (auto& control : controls_) control->refresh();
    if (sources_) {
        const Sources sources = processor_.instance().sources();
        sources_->show(sources);
        std::vector<Pad::Mark> marks;
        for (const Sources::Place& each : sources.instruments)
            marks.push_back({juce::String::fromUTF8(each.name.c_str()).replaceCharacter('_', ' '), {each.x, each.y}});
        if (pad_) pad_->set_marks(sources_->takes_model() ? std::move(marks) : std::vector<Pad::Mark>());
        if (pad_) pad_->set_counting(sources_->takes_model());
    }
    if (pad_) pad_->refresh();
    for (auto& voice : voices_) voice->refresh();
    if (pattern_) pattern_->refresh();
    if (score_) score_->show(view_);
    juce::String whereabouts = juce::String::fromUTF8(view_.instance.c_str());
    if (view_.osc_port > 0) whereabouts << (whereabouts.isEmpty() ? "" : "   ") << "OSC port " << view_.osc_port;
    whereabouts_.setText(whereabouts, juce::dontSendNotification);
    const HostParameter* meter = processor_.parameter("late_blocks");
    const int late = meter ? juce::roundToInt(meter->plain()) : 0;
    late_.setText(late == 0   ? juce::String()
                  : late == 1 ? "1 late block"
                              : juce::String(late) + " late blocks",
                  juce::dontSendNotification);
    status_.setText(juce::String::fromUTF8(view_.status.c_str()), juce::dontSendNotification);
    if (before.condition != view_.condition) repaint();
}

void Editor::paint(juce::Graphics& g) {
    g.fillAll(Look::background());
    auto area = getLocalBounds();
    const auto header = area.removeFromTop(kHeader).reduced(kMargin, 0);
    g.setColour(look_.accent());
    g.fillRect(getLocalBounds().removeFromTop(3));
    g.setColour(Look::text());
    g.setFont(juce::Font(19.0f, juce::Font::bold));
    g.drawText(processor_.getName(), header.withWidth(220), juce::Justification::centredLeft);
    if (controls_.size() == footer_.size() && !pad_) {
        g.setFont(juce::Font(14.0f));
        g.setColour(Look::quiet());
        g.drawText(juce::String::fromUTF8(processor_.instance().instrument().description),
                   area.removeFromTop(60).reduced(kMargin, 0), juce::Justification::centredLeft);
    }
    auto status = getLocalBounds().removeFromBottom(kStatus);
    g.setColour(Look::panel());
    g.fillRect(status);
    g.setColour(colour_of(view_.condition, look_.accent()));
    g.fillEllipse(status.reduced(kMargin, 0).removeFromLeft(9).withSizeKeepingCentre(9, 9).toFloat());
}

void Editor::resized() {
    auto area = getLocalBounds();
    whereabouts_.setBounds(area.removeFromTop(kHeader).reduced(kMargin, 0).withTrimmedLeft(220));
    status_.setBounds(area.removeFromBottom(kStatus).reduced(kMargin, 0).withTrimmedLeft(18).withTrimmedRight(8));
    auto footer = area.removeFromBottom(kFooter).reduced(kMargin, 0);
    late_.setBounds(footer.removeFromRight(140));
    for (Control* control : footer_) control->setBounds(footer.removeFromLeft(140));
    area.removeFromBottom(kMargin / 2);
    area.reduce(kMargin, 0);
    if (score_) {
        score_->setBounds(area.removeFromTop(kScore));
        area.removeFromTop(kMargin);
    }
    if (sources_) {
        sources_->setBounds(area.removeFromTop(kScore));
        area.removeFromTop(kMargin);
    }
    if (pattern_) {
        pattern_->setBounds(area.removeFromBottom(kPattern));
        area.removeFromBottom(kMargin);
    }
    if (!voices_.empty()) {
        auto strip = area.removeFromBottom(kVoices);
        area.removeFromBottom(kMargin);
        const int count = static_cast<int>(voices_.size());
        for (int i = 0; i < count; ++i) {
            const int gap = i + 1 < count ? kVoiceGap : 0;
            const int width = (strip.getWidth() - kVoiceGap * (count - i - 1)) / (count - i);
            voices_[static_cast<std::size_t>(i)]->setBounds(strip.removeFromLeft(width));
            strip.removeFromLeft(gap);
        }
    }
    const int fader = juce::jlimit(80, 130, area.getWidth() * kFader / (kWidth - 2 * kMargin));
    for (Control* control : faders_) control->setBounds(area.removeFromLeft(fader));
    if (!faders_.empty()) area.removeFromLeft(kMargin);
    if (pad_) {
        const int side = juce::jmin(area.getHeight(), row_count() > 0 ? area.getWidth() * 3 / 5 : area.getWidth());
        pad_->setBounds(area.removeFromLeft(side).withHeight(side));
        area.removeFromLeft(kMargin);
    }
    const int pitch = row_count() == 0 ? kRow : juce::jmin(50, area.getHeight() / row_count());
    for (Control* control : rows_)
        control->setBounds(area.removeFromTop(pitch).withSizeKeepingCentre(area.getWidth(), 28));
    auto buttons = area.removeFromTop(pitch).withSizeKeepingCentre(area.getWidth(), 28);
    const int count = static_cast<int>(triggers_.size());
    for (int i = 0; i < count; ++i) {
        auto place = buttons.removeFromLeft(buttons.getWidth() / (count - i));
        triggers_[static_cast<std::size_t>(i)]->setBounds(i + 1 < count ? place.withTrimmedRight(8) : place);
    }
}

} // namespace terzetto::plugin
