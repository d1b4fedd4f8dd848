// Rules that people have said once for all, on the page: stored, told to the lives, revoked.
#pragma once

#include "proxy/approval/approvals.hpp"
#include "proxy/recovery/life_registry.hpp"

namespace reauth {

/// Control thread only.
class rule_book {
public:
    rule_book(recovery_context& context, life_registry& lives, approvals& book, recovery_record& record)
        : context_(context), lives_(lives), book_(book), record_(record) {}

    /// As the vault has them now. Failures are told by whoever reads.
    void take(std::vector<remembered_rule> found);
    /// Reads them again.
    task<void> read_changed();
    void tell(life_entry& m);
    std::vector<remembered_rule> all() const;
    task<result<void>> remember(std::string approval_id);
    task<result<void>> revoke(std::string id);

private:
    void report(life::happening how, const remembered_rule& rule);

    recovery_context& context_;
    life_registry& lives_;
    approvals& book_;
    recovery_record& record_;
    remembered_rules remembered_;
};

} // namespace reauth
