"""Names and kinds of the properties, in the order in which the server writes them.

Notation: `Name:kind`; s text (s22: at most 22 characters), n number, d date, `e.Enum`, `l.Type` a detail list;
`Name#5:kind` stands for Name1 to Name5. Vendor, GL account and input names are the vendor's
own; those of segment codes and calendars are what public clients ask for; response-only names of purchase orders,
posted documents and posting errors are inferred.
"""

from __future__ import annotations

_OPTIONAL = "OptionalField:s12 Value:s60 TextValue:s60 AmountValue:n DateValue:d UpdateOperation:e.UpdateOperation"
_LAST = "UpdateOperation:e.UpdateOperation"

TYPE_LISTS: dict[str, str] = {
    "OptionalField": _OPTIONAL,
    "Vendor": f"""
        VendorNumber:s12 ShortName:s10 GroupCode:s6 Status:e.Status InactiveDate:d DateLastMaintained:d
        DateOfLastActivity:d DateOfLastInvoice:d OnHold:e.OnHold StartDate:d VendorName:s60 AddressLine#4:s60 City:s30
        StateProvince:s30 ZipPostalCode:s20 Country:s30 ContactName:s60 PhoneNumber:s30 FaxNumber:s30
        PrimaryRemitToLocation:s6 AccountSet:s6 CurrencyCode:s3 RateType:s2 BankCode:s8 PrintSeparateChecks:e.YesNo
        DistributionSet:s6 DistributionCode:s6 GLAccount:s45 Terms:s6 DuplicateAmountCode:e.Duplicate
        DuplicateDateCode:e.Duplicate TaxGroup:s12 TaxClassCode#5:n TaxReportingType:e.TaxReporting
        Num1099CPRSTaxNumber:s20 TaxType:e.TaxType Num1099CPRSCode:s6 CreditLimit:n BalanceDueInVendorCurrency:n
        NumberOfOpenInvoices:n PaymentCode:s12 TaxRegistrationCode#5:s20 DistributionType:e.DistributionType
        TaxIncluded#5:e.NoYes ContactsEmail:s50 Email:s50 WebSite:s100 ContactsPhone:s30 ContactsFax:s30
        DeliveryMethod:e.Delivery PercentRetained:n DaysRetained:n RetainageTermsCode:s6 NumberOfOptionalFields:n
        ProcessCommandCode:s30 LegalName:s60 BusinessRegistrationNumber:s30 FirstName:s30 LastName:s30
        VendorOptionalFieldValues:l.OptionalField VendorContactSelection:l.ContactSelection {_LAST}""",
    "ContactSelection": f"ContactCode:s12 {_LAST}",
    "VendorGroup": f"""
        GroupCode:s6 Description:s60 Status:e.Status DateLastMaintained:d AccountSet:s6 CurrencyCode:s3 RateType:s2
        BankCode:s8 PrintSeparateChecks:e.YesNo DistributionSet:s6 DistributionCode:s6
        GeneralLedgerAccountNumber:s45 Terms:s6 DuplicateAmountCode:e.Duplicate DuplicateDateCode:e.Duplicate
        TaxGroup:s12 TaxClassCode#5:n PaymentCode:s12 DistributionType:e.DistributionType {_LAST}""",
    "Terms": f"""
        TermsCode:s6 Description:s60 Status:e.Status DateLastMaintained:d UsePaymentSchedule:e.NoYes
        CalculationBaseForDiscountwithTax:e.TaxBase MethodOfCalcForDiscountDate:e.DateMethod
        MethodOfCalcForDueDate:e.DateMethod NumberOfPayments:n TotalPercentageDue:n
        TermsPaymentSchedule:l.TermsSchedule {_LAST}""",
    "TermsSchedule": f"""
        PaymentNumber:n TermsCode:s6 PercentageDue:n DiscountPercent:n DiscountNumberOfDays:n DiscountDayOfMonth:n
        DueNumberOfDays:n DueDayOfMonth:n {_LAST}""",
    "AccountSet": f"""
        AccountSetCode:s6 Description:s60 Status:e.Status DateLastMaintained:d PayablesControlAccount:s45
        DiscountsAccount:s45 PrepaymentAccount:s45 CurrencyCodeForAccount:s3 RetainageAccount:s45 {_LAST}""",
    "DistributionCode": f"""
        DistributionCodeKey:s6 Description:s60 Status:e.Status DateLastMaintained:d GLAccount:s45
        Discountable:e.YesNo {_LAST}""",
    "RecurringPayable": f"""
        VendorNumber:s12 RecurringPayableCode:s12 Description:s60 EffectiveDate:d ExpirationType:e.Expiration
        ExpirationDate:d MaximumNumberOfInvoices:n MaximumTotalInvoiceAmount:n PONumber:s22 InvoiceDescription:s60
        CurrencyCode:s3 DistributedTotalBeforeTaxes:n InvoiceSubtotal:n Schedule:s12 DocumentTotal:n
        RecurringPayableDetails:l.RecurringDetail {_LAST}""",
    "RecurringDetail": f"""
        LineNumber:n VendorNumber:s12 RecurringPayableCode:s12 DistributionCode:s6 GLAccount:s45
        DistributedAmount:n {_LAST}""",
    "InvoiceBatch": f"""
        BatchNumber:n BatchDate:d Description:s60 NumberOfEntries:n BatchTotal:n BatchType:e.BatchType
        BatchStatus:e.BatchStatus LastEntryNumber:n PostingSequenceNumber:n NumberOfErrors:n DateLastEdited:d
        BatchPrintedFlag:e.NoYes SourceApplication:s2 ProcessCommandCode:e.BatchCommand Invoices:l.Invoice {_LAST}""",
    "Invoice": f"""
        BatchNumber:n EntryNumber:n VendorNumber:s12 DocumentNumber:s22 RemitToLocation:s6 DocumentType:e.DocumentType
        OrderNumber:s22 PONumber:s22 InvoiceDescription:s60 ApplytoDocument:s22 AccountSet:s6 DocumentDate:d
        AsOfDate:d PostingDate:d FiscalYear:s4 FiscalPeriod:s2 CurrencyCode:s3 RateType:s2 RateDate:d ExchangeRate:n
        Terms:s6 DueDate:d DiscountDate:d DiscountPercentage:n DiscountAmountAvailable:n TaxGroup:s12
        TaxAuthority#5:s12 TaxClass#5:n TaxBase#5:n TaxAmount#5:n TotalTaxAmount:n DocumentTotalBeforeTaxes:n
        DocumentTotalIncludingTax:n OnHold:e.NoYes NumberOfDetails:n InvoiceDetails:l.InvoiceDetail
        InvoicePaymentSchedules:l.PaymentSchedule InvoiceOptionalFields:l.OptionalField {_LAST}""",
    "InvoiceDetail": f"""
        BatchNumber:n EntryNumber:n LineNumber:n DistributionCode:s6 DistributionDescription:s60 GLAccount:s45
        DistributedAmount:n DistributedAmountBeforeTaxes:n TaxClass#5:n TaxBase#5:n TaxAmount#5:n Comment:s250
        InvoiceDetailOptionalFields:l.OptionalField {_LAST}""",
    "PaymentSchedule": f"""
        BatchNumber:n EntryNumber:n PaymentNumber:n DueDate:d AmountDue:n DiscountDate:d DiscountAmount:n {_LAST}""",
    "PaymentBatch": f"""
        BatchSelector:e.BatchSelector BatchNumber:n BatchDate:d Description:s60 BatchStatus:e.BatchStatus BankCode:s8
        BankCurrencyCode:s3 DateLastEdited:d ProcessCommandCode:e.BatchCommand
        PaymentsAdjustments:l.PaymentAdjustment {_LAST}""",
    "PaymentAdjustment": f"""
        BatchType:e.BatchSelector BatchNumber:n EntryNumber:n CheckNumber:s18 VendorNumber:s12
        PaymentDateAdjustmentDate:d EntryDescription:s60 VendorPayeeName:s60 CheckAmountInBankCurrency:n
        CheckAmountInVendorCurrency:n TotalPrepayVendorCurrency:n PaymentTransactionType:e.PaymentType
        CheckPrintRequired:e.YesNo EntryReference:s60 AppliedPayments:l.AppliedPayment {_LAST}""",
    "AppliedPayment": f"""
        BatchType:e.BatchSelector BatchNumber:n EntryNumber:n LineNumber:n VendorNumber:s12 DocumentNumber:s22
        PaymentType:e.PaymentType PaymentAmount:n DocumentDate:d AdjustmentGLDistributions:l.Adjustment {_LAST}""",
    "Adjustment": f"""
        BatchType:e.BatchSelector BatchNumber:n EntryNumber:n LineNumber:n SequenceNumber:n TransactionType:n
        DistributionAmount:n DistributionCode:s6 DistributionGLAccount:s45 DocumentLineNumber:n {_LAST}""",
    "PostInvoices": f"ProcessAllBatches:e.ProcessAll FromBatch:n ToBatch:n {_LAST}",
    "PostedDocument": f"""
        VendorNumber:s12 DocumentNumber:s22 DocumentType:e.DocumentType BatchNumber:n EntryNumber:n
        PostingSequenceNumber:n BatchDate:d OrderNumber:s22 PONumber:s22 DocumentDescription:s60 DocumentDate:d
        AsOfDate:d DueDate:d PostingDate:d FiscalYear:s4 FiscalPeriod:s2 Terms:s6 CurrencyCode:s3 ExchangeRate:n
        DocumentTotalIncludingTax:n DocumentBalance:n FullyPaid:e.NoYes {_LAST}""",
    "PostingError": f"""
        PostingSequenceNumber:n SequenceNumber:n BatchNumber:n EntryNumber:n ErrorBatchNumber:n VendorNumber:s12
        DocumentNumber:s22 ErrorMessage:s250 {_LAST}""",
    "GLAccount": f"""
        UnformattedAccount:s45 AccountNumber:s45 Description:s60 AccountType:e.AccountType
        NormalBalanceDRCR:e.Balance Status:e.Status PostToAccount:e.PostTo QuantitiesAllowed:e.NoYes
        Multicurrency:e.NoYes DefaultCurrencyCode:s3 StructureCode:s6 AccountSegmentCode#10:s15 SegmentCode:s15
        AccountGroupCode:s12 RollupSwitch:e.NoYes DateCreated:d YearLastClosed:s4
        AccountValidCurrencies:l.ValidCurrency AccountOptionalFields:l.OptionalField
        ControlAccountSubledgers:l.Subledger {_LAST}""",
    "ValidCurrency": f"CurrencyCode:s3 RevaluationCode:s6 {_LAST}",
    "Subledger": f"Subledger:s2 {_LAST}",
    "SegmentCode": f"SegmentNumber:s6 SegmentCodeKey:s15 Description:s60 {_LAST}",
    "PurchaseOrder": f"""
        PurchaseOrderSequenceKey:n PurchaseOrderNumber:s22 PurchaseOrderType:e.OrderType Vendor:s12 VendorName:s60
        PurchaseOrderDate:d ExpectedArrivalDate:d LastPostingDate:d Completed:e.NoYes DateCompleted:d OnHold:e.NoYes
        Description:s60 Reference:s60 Comment:s250 Currency:s3 ExchangeRate:n TermsCode:s6 TaxGroup:s12
        TaxClass#5:n Lines:n LinesComplete:n TotalTaxAmount:n DocumentTotal:n
        PurchaseOrderLines:l.PurchaseOrderLine {_LAST}""",
    "PurchaseOrderLine": f"""
        PurchaseOrderSequenceKey:n LineNumber:n PurchaseOrderLineSequence:n ItemNumber:s24 ItemDescription:s60
        Location:s6 VendorItemNumber:s24 UnitOfMeasure:s10 QuantityOrdered:n QuantityReceived:n QuantityCanceled:n
        QuantityOutstanding:n UnitCost:n ExtendedCost:n ExpectedArrivalDate:d TaxClass#5:n TaxRate1:n TaxAmount1:n
        ExpenseAccount:s45 Completed:e.NoYes DateCompleted:d {_LAST}""",
    "Receipt": f"""
        ReceiptSequenceKey:n ReceiptNumber:s22 ReceiptDate:d PurchaseOrderSequenceKey:n PurchaseOrderNumber:s22
        Vendor:s12 Description:s60 Reference:s60 LastPostingDate:d Currency:s3 Completed:e.NoYes
        ReceiptLine2s:l.ReceiptLine {_LAST}""",
    "ReceiptLine": f"""
        ReceiptSequenceKey:n LineNumber:n ReceiptLineSequence:n PurchaseOrderSequenceKey:n
        PurchaseOrderLineSequence:n PurchaseOrderNumber:s22 ItemNumber:s24 ItemDescription:s60 Location:s6
        UnitOfMeasure:s10 QuantityReceived:n QuantityReturned:n UnitCost:n ExtendedCost:n {_LAST}""",
    "Return": f"""
        ReturnSequenceKey:n ReturnNumber:s22 ReturnDate:d ReceiptNumber:s22 PurchaseOrderSequenceKey:n
        PurchaseOrderNumber:s22 TemplateCode:s6 Vendor:s12 Description:s60 Reference:s60 Comment:s250 ShipVia:s6
        LastPostingDate:d Currency:s3 ReturnLines:l.ReturnLine {_LAST}""",
    "ReturnLine": f"""
        ReturnSequenceKey:n LineNumber:n ReturnLineSequence:n PurchaseOrderSequenceKey:n PurchaseOrderLineSequence:n
        PurchaseOrderNumber:s22 ItemNumber:s24 ItemDescription:s60 Location:s6 UnitOfMeasure:s10 QuantityReturned:n
        UnitCost:n ExtendedCost:n {_LAST}""",
    "POInvoice": f"""
        InvoiceSequenceKey:n InvoiceNumber:s22 InvoiceDate:d Vendor:s12 ReceiptNumber:s22 PurchaseOrderNumber:s22
        Description:s60 Currency:s3 {_LAST}""",
    "TaxGroup": f"""
        TaxGroupKey:s12 TransactionType:e.TransactionType Description:s60 TaxReportingCurrency:s3 TaxAuthority#5:s12
        {_LAST}""",
    "TaxRate": f"""
        TaxAuthority:s12 TransactionType:e.TransactionType BuyerClass:n ItemRate#10:n DateLastMaintained:d {_LAST}""",
    "FiscalCalendar": f"""
        FiscalYear:s4 NumberOfFiscalPeriods:n QuarterWith4Periods:n Active:e.YesNo FiscalPeriodStartDate%12:d
        FiscalPeriodEndDate%12:d {_LAST}""",
}
ENUM_LISTS: dict[str, str] = {
    "UpdateOperation": "Unspecified Insert Update Delete",
    "Status": "Active Inactive",
    "OnHold": "NotOnHold OnHold",
    "YesNo": "Yes No",
    "NoYes": "No Yes",
    "Duplicate": "None Warning Error",
    "TaxReporting": "None 1099 CPRS",
    "TaxType": "Unknown SocialSecurityNumber EmployerIDNumber",
    "DistributionType": "DistributionSet DistributionCode GLAccount",
    "Delivery": "Mail Email ContactsEmail",
    "TaxBase": "Included Excluded",
    "DateMethod": "DaysFromInvoiceDate EndOfNextMonth DayOfNextMonth DaysFromDayOfNextMonth DueDateTable",
    "Expiration": "NoExpiration SpecificDate MaximumAmount NumberOfInvoices",
    "BatchType": "Entered Imported Generated Recurring External Retainage",
    "BatchStatus": "Open Deleted Posted ReadyToPost PostInProgress",
    "BatchSelector": "PY AD",
    "BatchCommand": "NoOperation LockBatchResourceShared LockBatchResourceExclusive UnlockBatchResource",
    "DocumentType": "Invoice DebitNote CreditNote Interest",
    "PaymentType": "Payment Prepayment ApplyDocument MiscPayment Adjustment",
    "ProcessAll": "Donotpostallbatches Postallbatches",
    "AccountType": "IncomeStatement BalanceSheet RetainedEarnings",
    "Balance": "Debit Credit",
    "PostTo": "Detail Consolidated Prohibited",
    "OrderType": "Active Standing Future Blanket",
    "TransactionType": "Sales Purchases",
}
