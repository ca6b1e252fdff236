// SPDX-License-Identifier: GPL-3.0-or-later
#include "score_panel.hpp"

#include "look.hpp"

namespace terzetto::plugin {

namespace {

constexpr const char* kScores = "*.mid;*.midi;*.csv;*.musicxml;*.mxl;*.xml;*.krn;*.kern";

} // namespace

ScorePanel::ScorePanel(Processor& processor, HostParameter& learn) : processor_(processor), learn_(learn) {
    open_.setButtonText(juce::String::fromUTF8("Open\xe2\x80\xa6"));
    open_.setTooltip("Choose the score of the take: MIDI, MusicXML, Humdrum (.krn) or a table of notes (.csv).");
    open_.onClick = [this] { choose(); };
    learn_button_.setTooltip(juce::String::fromUTF8(learn.info().description));
    learn_button_.onClick = [this] { set_learning(learn_.plain() < 0.5f); };
    cancel_.setButtonText("Cancel");
    cancel_.setTooltip("Stop listening or learning; what was learned before stays.");
    cancel_.onClick = [this] { processor_.instance().ask("cancel", {}); };
    open_.setTitle("Open the score");
    cancel_.setTitle("Cancel learning");
    int order = 0;
    for (juce::TextButton* part : std::initializer_list<juce::TextButton*>{&open_, &learn_button_, &cancel_}) {
        part->setDescription(part->getTooltip());
        part->setExplicitFocusOrder(++order);
        part->setHasFocusOutline(true);
        addAndMakeVisible(part);
    }
    bar_.setTitle("Progress");
    setTitle("Score");
    addChildComponent(bar_);
    show({});
}

void ScorePanel::show(const View& view) {
    const bool listens = learn_.plain() > 0.5f, works = view.progress >= 0.0;
    progress_ = view.progress;
    bar_.setTextToDisplay(listens ? "Listening" : "Learning");
    bar_.setVisible(works);
    learn_button_.setButtonText(listens ? "Stop and learn" : "Learn");
    learn_button_.setTitle(learn_button_.getButtonText());
    learn_button_.setToggleState(listens, juce::dontSendNotification);
    learn_button_.setVisible(!works || listens);
    cancel_.setEnabled(works || listens);
    juce::String score =
        juce::File::createFileWithoutCheckingPath(juce::String::fromUTF8(view.score.c_str())).getFileName();
    if (view.score.empty()) score = asked_;
    if (score != score_) {
        score_ = score;
        setDescription(score);
        repaint();
    }
    resized();
}

void ScorePanel::paint(juce::Graphics& g) {
    const auto area = getLocalBounds().toFloat().reduced(0.5f);
    g.setColour(over_ ? Look::panel().brighter(0.15f) : Look::panel());
    g.fillRoundedRectangle(area, 5.0f);
    juce::Path edge, dashed;
    edge.addRoundedRectangle(area, 5.0f);
    const float dashes[] = {5.0f, 4.0f};
    juce::PathStrokeType(1.0f).createDashedStroke(dashed, edge, dashes, 2);
    g.setColour(over_ ? Look::text() : Look::line());
    g.fillPath(dashed);
    auto text = getLocalBounds().reduced(12, 8).withTrimmedRight(276);
    g.setFont(juce::Font(14.0f));
    g.setColour(score_.isEmpty() ? Look::text() : Look::quiet());
    g.drawText(score_.isEmpty() ? "Drop the score here" : "Score", text.removeFromTop(text.getHeight() / 2),
               juce::Justification::centredLeft);
    g.setColour(score_.isEmpty() ? Look::quiet() : Look::text());
    g.drawText(score_.isEmpty() ? juce::String(".mid  .musicxml  .krn  .csv") : score_, text,
               juce::Justification::centredLeft, true);
}

void ScorePanel::resized() {
    auto area = getLocalBounds().reduced(12, 0);
    area = area.withSizeKeepingCentre(area.getWidth(), 28);
    cancel_.setBounds(area.removeFromRight(70));
    area.removeFromRight(8);
    auto middle = area.removeFromRight(112);
    area.removeFromRight(8);
    open_.setBounds(area.removeFromRight(66));
    learn_button_.setBounds(middle);
    bar_.setBounds(middle);
    if (bar_.isVisible() && learn_button_.isVisible()) { // it listens: the bar shows how much it has heard
        bar_.setBounds(middle.withTop(middle.getBottom() + 2).withHeight(4));
    }
}

bool ScorePanel::isInterestedInFileDrag(const juce::StringArray& files) {
    return files.size() == 1 &&
           juce::File(files[0]).hasFileExtension(juce::String(kScores).removeCharacters("*") + ";" + kRecordings);
}

void ScorePanel::filesDropped(const juce::StringArray& files, int, int) {
    hover(false);
    take(juce::File(files[0]));
}

void ScorePanel::hover(bool over) {
    over_ = over;
    repaint();
}

void ScorePanel::choose() {
    chooser_ = std::make_unique<juce::FileChooser>("The score of the take", juce::File(), kScores);
    chooser_->launchAsync(juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles,
                          [this](const juce::FileChooser& chooser) {
                              if (chooser.getResult().existsAsFile()) take(chooser.getResult());
                          });
}

void ScorePanel::take(const juce::File& file) {
    const bool recording = file.hasFileExtension(kRecordings);
    if (!processor_.instance().ask(recording ? "learn_file" : "score", file.getFullPathName().toStdString())) return;
    if (!recording) asked_ = file.getFileName();
}

void ScorePanel::set_learning(bool on) {
    learn_.beginChangeGesture();
    learn_.set_plain(on ? 1.0f : 0.0f);
    learn_.endChangeGesture();
}

} // namespace terzetto::plugin
