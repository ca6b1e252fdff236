// SPDX-License-Identifier: GPL-3.0-or-later
#include "source_panel.hpp"

#include "look.hpp"
#include "score_panel.hpp"

namespace terzetto::plugin {

namespace {

constexpr const char* kModels = ".onnx";
constexpr int kButton = 84, kGap = 12;

juce::String name_of(const std::string& path) {
    const auto file = juce::File::createFileWithoutCheckingPath(juce::String::fromUTF8(path.c_str()));
    return file.hasFileExtension(kModels) ? file.getFileNameWithoutExtension() : file.getFileName();
}

juce::Rectangle<int> half(juce::Rectangle<int> area, int number) {
    const int width = (area.getWidth() - kGap) / 2;
    return number == 0 ? area.removeFromLeft(width) : area.removeFromRight(width);
}

} // namespace

SourcePanel::SourcePanel(Processor& processor, HostParameter& method) : processor_(processor), method_(method) {
    const char* titles[] = {"Choose the timbre", "Choose the other timbre"};
    const char* descriptions[] = {
        "The model or the recording whose timbre the sound takes on; a file may be dropped here, too.",
        "The one that Balance goes to: a model or a recording, as the method takes it."};
    for (int i = 0; i < 2; ++i) {
        buttons_[i].setButtonText(juce::String::fromUTF8("Choose\xe2\x80\xa6"));
        buttons_[i].setTitle(titles[i]);
        buttons_[i].setDescription(descriptions[i]);
        buttons_[i].setTooltip(descriptions[i]);
        buttons_[i].setExplicitFocusOrder(i + 1);
        buttons_[i].setHasFocusOutline(true);
        buttons_[i].onClick = [this, i] { list(i); };
        addAndMakeVisible(buttons_[i]);
    }
    setTitle("Timbre");
    processor_.instance().ask("models", {}); // what is installed by now
    show({});
}

void SourcePanel::show(const Sources& sources) {
    sources_ = sources;
    const bool model = takes_model();
    const juce::String names[] = {name_of(model ? sources.model : sources.target),
                                  name_of(model ? sources.other_model : sources.other_target)};
    if (names[0] == names_[0] && names[1] == names_[1]) return;
    for (int i = 0; i < 2; ++i) names_[i] = names[i];
    setDescription(names_[0] + (names_[1].isEmpty() ? "" : ", balanced with " + names_[1]));
    repaint();
}

void SourcePanel::paint(juce::Graphics& g) {
    for (int i = 0; i < 2; ++i) {
        const auto place = half(getLocalBounds(), i);
        const auto area = place.toFloat().reduced(0.5f);
        g.setColour(over_ == i ? Look::panel().brighter(0.15f) : Look::panel());
        g.fillRoundedRectangle(area, 5.0f);
        juce::Path edge, dashed;
        edge.addRoundedRectangle(area, 5.0f);
        const float dashes[] = {5.0f, 4.0f};
        juce::PathStrokeType(1.0f).createDashedStroke(dashed, edge, dashes, 2);
        g.setColour(over_ == i ? Look::text() : Look::line());
        g.fillPath(dashed);
        auto text = place.reduced(12, 8).withTrimmedRight(kButton + 8);
        g.setFont(juce::Font(14.0f));
        g.setColour(Look::quiet());
        g.drawText(i == 1          ? "Balanced with"
                   : takes_model() ? "Model"
                                   : "Recording",
                   text.removeFromTop(text.getHeight() / 2), juce::Justification::centredLeft);
        g.setColour(names_[i].isEmpty() ? Look::quiet() : Look::text());
        const char* none = i == 1 ? "nothing" : takes_model() ? "the shipped one" : "Drop one here";
        g.drawText(names_[i].isEmpty() ? juce::String(none) : names_[i], text, juce::Justification::centredLeft, true);
    }
}

void SourcePanel::resized() {
    for (int i = 0; i < 2; ++i) {
        auto area = half(getLocalBounds(), i).reduced(12, 0);
        buttons_[i].setBounds(area.removeFromRight(kButton).withSizeKeepingCentre(kButton, 28));
    }
}

bool SourcePanel::isInterestedInFileDrag(const juce::StringArray& files) {
    return files.size() == 1 && juce::File(files[0]).hasFileExtension(juce::String(kModels) + ";" + kRecordings);
}

void SourcePanel::filesDropped(const juce::StringArray& files, int x, int) {
    hover(-1);
    take(juce::File(files[0]), half_at(x));
}

void SourcePanel::hover(int half) {
    over_ = half;
    repaint();
}

void SourcePanel::list(int half) {
    processor_.instance().ask("models", {}); // for the next time
    juce::PopupMenu menu;
    const auto add = [&](const juce::String& name, const std::string& now, std::function<void()> action) {
        menu.addItem(juce::PopupMenu::Item(name).setTicked(name.toStdString() == now).setAction(std::move(action)));
    };
    const char* message = half == 0 ? "model" : "other";
    if (half == 1) add("Nothing", "", [this] { processor_.instance().ask("other", {}); });
    if (half == 0 || takes_model())
        for (const std::string& name : sources_.installed)
            add(juce::String::fromUTF8(name.c_str()), half == 0 ? sources_.model : sources_.other_model,
                [this, message, name] { processor_.instance().ask(message, name); });
    menu.addSeparator();
    add(juce::String::fromUTF8(half == 1 && !takes_model() ? "Open a recording\xe2\x80\xa6"
                                                           : "Open a model or a recording\xe2\x80\xa6"),
        "-", [this, half] { choose(half); });
    menu.showMenuAsync(juce::PopupMenu::Options().withTargetComponent(buttons_[half]));
}

void SourcePanel::choose(int half) {
    const juce::String ends = (juce::String(kModels) + ";" + kRecordings).replace(".", "*.");
    chooser_ = std::make_unique<juce::FileChooser>("Where the timbre comes from", juce::File(), ends);
    chooser_->launchAsync(juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles,
                          [this, half](const juce::FileChooser& chooser) {
                              if (chooser.getResult().existsAsFile()) take(chooser.getResult(), half);
                          });
}

void SourcePanel::take(const juce::File& file, int half) {
    const char* message = half == 1 ? "other" : file.hasFileExtension(kModels) ? "model" : "target";
    processor_.instance().ask(message, file.getFullPathName().toStdString());
}

} // namespace terzetto::plugin
