// audit verify, audit show: whether the record is as it was written, and what it says of an approval.
#include "proxy/cli/command.hpp"

#include "conf/regular_file.hpp"
#include "core/json/json_reader.hpp"
#include "proxy/cli/api_client.hpp"
#include "proxy/cli/json_text.hpp"
#include "proxy/evidence/audit_sink.hpp"
#include "proxy/evidence/audit_verify.hpp"

#include <algorithm>
#include <memory>
#include <ostream>

namespace reauth {
namespace {

constexpr std::size_t largest_file = std::size_t{4} << 30;

struct verify_arguments {
    std::vector<std::string> files, keys, heads;
    std::string known;                        ///< the running proxy's public key
    std::vector<std::string> heads_of_others; ///< that count where their files are given
};

result<std::string> read_audit_file(const std::string& path) {
    file_demands demands;
    demands.largest = largest_file;
    auto read = read_regular_file(path, demands);
    if (!read)
        return failure::permanent(fault::invalid_configuration, path + " " + read.trouble);
    return std::string(read.text->reveal());
}

/// The configured audit's files, and what the running proxy knows of their ends.
result<void> take_configured(const command_context& context, verify_arguments& given) {
    auto c = context.full_config();
    if (!c)
        return c.error();
    if (c->audit.file.empty())
        return failure::permanent(fault::invalid_configuration, "no audit is configured",
                                  "name the FILEs to verify");
    given.files = audit_files(c->audit.file);
    if (given.files.empty())
        return failure::permanent(fault::invalid_configuration, "there is no " + c->audit.file + " yet");
    const auto api = api_client::make(*c);
    const auto known = api ? api->get("/api/audit") : result<nlohmann::json>(api.error());
    if (!known) {
        context.io.err << "The running proxy can't be asked how far it has come (" << known.error().message
                       << "): whether the end was cut off is not known.\n";
        return {};
    }
    for (const auto& h : array_of(*known, "heads"))
        if (h.is_string())
            given.heads_of_others.push_back(h.get<std::string>());
    if (auto own = text_of(*known, "head"); !own.empty())
        given.heads.push_back(std::move(own));
    given.known = text_of(*known, "public_key", 1000);
    return {};
}

result<audit_expectations> expectations_of(const verify_arguments& given) {
    audit_expectations out;
    for (const auto& path : given.keys) {
        const auto text = read_audit_file(path);
        if (!text)
            return text.error();
        auto key = verifying_key::from_pem(secret(*text));
        if (!key)
            return failure::permanent(fault::invalid_configuration, path + ": " + key.error().message);
        out.keys.push_back(std::move(*key));
    }
    if (auto key = verifying_key::from_pem(secret(given.known)); !given.known.empty() && key)
        out.known.push_back(std::move(*key));
    for (const auto& text : given.heads) {
        auto head = audit_head::parse(text);
        if (!head)
            return failure::permanent(fault::invalid_configuration,
                                      "--head must be LOG:SEQ:HASH, not " + text);
        out.heads.push_back(std::move(*head));
    }
    return out;
}

nlohmann::json report_json(const audit_report& r) {
    auto chains = nlohmann::json::array(), findings = nlohmann::json::array();
    for (const auto& c : r.chains)
        chains.push_back({{"log", c.log},
                          {"first", c.first},
                          {"last", c.last},
                          {"lines", c.lines},
                          {"signatures", c.signatures},
                          {"unverified", c.unverified},
                          {"unsigned_tail", c.unsigned_tail},
                          {"keys", c.keys},
                          {"end_known", c.head_known}});
    for (const auto& f : r.findings)
        findings.push_back({{"where", f.where}, {"what", f.what}});
    return {{"whole", r.findings.empty()},
            {"keys_given", r.keys_given},
            {"chains", chains},
            {"findings", findings}};
}

void print_report(std::ostream& out, const audit_report& r) {
    for (const auto& c : r.chains) {
        out << "audit " << c.log << ": lines " << c.first << " to " << c.last << ", " << c.signatures
            << " signatures";
        for (const auto& k : c.keys)
            out << (k == c.keys.front() ? " by key " : ", ") << k;
        out << '\n';
        if (c.first > 1)
            out << "  it begins with line " << c.first
                << ": what came before was rotated away, or is not here\n";
        if (c.unverified > 0)
            out << "  " << c.unverified
                << " signatures are by a key that is not known here: give it with --key\n";
        if (c.signatures + c.unverified == 0)
            out << "  nothing is signed: whoever can write the file could have written it anew\n";
        else if (c.unsigned_tail > 0)
            out << "  the last " << c.unsigned_tail << " lines are chained, and not signed yet\n";
        out << (c.head_known ? "  its end is the one that was written\n"
                             : "  whether lines behind its end were cut off is not known (--head)\n");
    }
    if (!r.keys_given &&
        std::any_of(r.chains.begin(), r.chains.end(), [](const auto& c) { return c.signatures > 0; }))
        out << "The keys are those that the audit names itself: give the one you trust with --key.\n";
    for (const auto& f : r.findings)
        out << f.where << ": " << f.what << '\n';
    out << (r.findings.empty() ? "It is as it was written.\n" : "It is NOT as it was written.\n");
}

int verify(const command_context& context, verify_arguments given) {
    if (given.files.empty())
        if (auto taken = take_configured(context, given); !taken)
            return context.fail(taken.error());
    std::vector<audit_file_text> texts;
    for (const auto& path : given.files) {
        auto text = read_audit_file(path);
        if (!text)
            return context.fail(text.error());
        texts.push_back({path, std::move(*text)});
    }
    for (const auto& h : given.heads_of_others)
        if (const auto log = "\"log\":\"" + h.substr(0, h.find(':')) + '"'; std::any_of(
                texts.begin(), texts.end(), [&](const auto& t) { return t.text.find(log) != t.text.npos; }))
            given.heads.push_back(h);
    const auto expected = expectations_of(given);
    if (!expected)
        return context.fail(expected.error());
    const auto report = verify_audit(std::move(texts), *expected);
    if (context.json)
        context.print_json(report_json(report));
    else
        print_report(context.io.out, report);
    return report.findings.empty() ? exit_done : exit_failed;
}

/// Its lines, as they stand: the receipt.
int show(const command_context& context, const std::string& approval, std::vector<std::string> files) {
    if (files.empty()) {
        auto c = context.full_config();
        if (!c)
            return context.fail(c.error());
        files = audit_files(c->audit.file);
    }
    std::size_t found = 0;
    for (const auto& path : files) {
        const auto text = read_audit_file(path);
        if (!text)
            return context.fail(text.error());
        std::string_view rest = *text;
        while (!rest.empty()) {
            const auto end = rest.find('\n');
            const auto line = rest.substr(0, end);
            rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
            if (line.find('"' + approval + '"') == line.npos || !read_audit_line(line))
                continue;
            const auto in = read_json(line);
            if (!in || text_of(*in, "approval") != approval)
                continue;
            context.io.out << line << '\n';
            ++found;
        }
    }
    if (found == 0)
        return context.fail(failure::permanent(fault::invalid_configuration,
                                               "the audit says nothing of approval " + approval,
                                               "`mcp-reauth history` lists what is known"));
    return exit_done;
}

} // namespace

void add_audit(CLI::App& app, command_context& context) {
    auto* verb = app.add_subcommand("audit", "whether the audit is as it was written, and what it says");
    verb->require_subcommand(1);
    auto* check = verb->add_subcommand("verify", "find what was changed, is missing, was moved or cut");
    auto given = std::make_shared<verify_arguments>();
    check->add_option("FILE", given->files,
                      "of one or more replicas, in any order (default: the configured one's)");
    check
        ->add_option("--key", given->keys,
                     "PEM file of a public key that signatures must be made with; may be repeated")
        ->take_all()
        ->expected(1);
    check->add_option("--head", given->heads, "a line that must be there: LOG:SEQ:HASH; may be repeated")
        ->take_all()
        ->expected(1);
    add_config_options(*check, context);
    add_json_option(*check, context);
    check->callback(
        [&context, given] { context.run = [&context, given] { return verify(context, *given); }; });
    auto* receipt = verb->add_subcommand("show", "the lines of an approval, as they were signed");
    auto approval = std::make_shared<std::string>();
    auto files = std::make_shared<std::vector<std::string>>();
    receipt->add_option("APPROVAL", *approval, "its id")->required();
    receipt->add_option("FILE", *files, "where to look (default: the configured audit)");
    add_config_options(*receipt, context);
    receipt->callback([&context, approval, files] {
        context.run = [&context, approval, files] { return show(context, *approval, *files); };
    });
}

} // namespace reauth
