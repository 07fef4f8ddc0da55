"""The raw lists behind `fields`: one text per type, one text per enumeration."""

from __future__ import annotations

ENUM_LISTS = {
    "BoYesNoEnum": "tYES tNO",
    "BoCardTypes": "cCustomer cSupplier cLid",
    "BoVatStatus": "vExempted vLiable vEC",
    "BoDocumentTypes": "dDocument_Items dDocument_Service",
    "BoStatus": "bost_Open bost_Close bost_Paid bost_Delivered",
    "CancelStatusEnum": "csYes csNo csCancellation",
    "DocumentAuthorizationStatusEnum": "dasWithout dasPending dasApproved dasRejected dasGenerated"
    " dasGeneratedbyAuthorizer dasCancelled",
    "BoAccountTypes": "at_Revenues at_Expenses at_Other",
    "BoRcptTypes": "rCustomer rAccount rSupplier",
    "PaymentsAuthorizationStatusEnum": "pasWithout pasPending pasApproved pasRejected pasGenerated"
    " pasGeneratedbyAuthorizer pasCancelled",
    "BoRcptInvTypes": "it_AllTransactions it_OpeningBalance it_ClosingBalance it_Invoice it_CredItnote"
    " it_TaxInvoice it_Return it_PurchaseInvoice it_PurchaseCreditNote it_PurchaseDeliveryNote"
    " it_PurchaseReturn it_Receipt it_Deposit it_JournalEntry it_PaymentAdvice it_ChequesForPayment"
    " it_StockReconciliations it_GeneralReceiptToStock it_GeneralReleaseFromStock"
    " it_TransferBetweenWarehouses it_WorkInstructions it_DeferredDeposit it_CorrectionInvoice"
    " it_APCorrectionInvoice it_ARCorrectionInvoice it_DownPayment it_PurchaseDownPayment",
    "BoPayTermDueTypes": "pdt_MonthEnd pdt_HalfMonth pdt_MonthStart pdt_None",
    "BoVatCategoryEnum": "bovcOutputTax bovcInputTax",
    "BoTaxTypes": "tt_Yes tt_No tt_UseTax tt_OffsetTax",
    "BoObjectTypes": "oPurchaseInvoices oPurchaseCreditNotes oPurchaseDeliveryNotes oPurchaseReturns oPurchaseOrders",
    "BoAddressType": "bo_ShipTo bo_BillTo",
    "BoTaxRoundingRuleTypes": "trr_RoundDown trr_RoundUp trr_RoundOff trr_CompanyDefault",
    "CurrenciesDecimalsEnum": "cd1Digit cd2Digits cd3Digits cd4Digits cd5Digits cd6Digits cdDefault cdWithoutDecimals",
}

TYPE_LISTS = {
    "BusinessPartner": """
        CardCode:s CardName:s CardForeignName:s AliasName:s CardType:e.BoCardTypes GroupCode:i Series:i
        Address:s ZipCode:s City:s County:s Country:s Block:s BillToState:s
        MailAddress:s MailZipCode:s MailCity:s MailCounty:s MailCountry:s
        Phone1:s Phone2:s Cellular:s Fax:s EmailAddress:s Website:s ContactPerson:s Notes:s FreeText:s
        PayTermsGrpCode:i PeymentMethodCode:s PaymentBlock:y CreditLimit:n DiscountPercent:n
        VatLiable:e.BoVatStatus VatGroup:s FederalTaxID:s UnifiedFederalTaxID:s VATRegistrationNumber:s
        AdditionalID:s VatIDNum:s CompanyRegistrationNumber:s GlobalLocationNumber:s
        SubjectToWithholdingTax:y WTCode:s TaxRoundingRule:e.BoTaxRoundingRuleTypes
        Currency:s DefaultCurrency:s DebitorAccount:s CurrentAccountBalance:n
        DefaultBankCode:s DefaultAccount:s DefaultBranch:s BankCountry:s IBAN:s HouseBank:s HouseBankCountry:s
        HouseBankAccount:s BilltoDefault:s ShipToDefault:s LanguageCode:i OwnerCode:i ProjectCode:s Indicator:s
        Valid:y ValidFrom:d ValidTo:d ValidRemarks:s Frozen:y FrozenFrom:d FrozenTo:d FrozenRemarks:s
        CreateDate:d CreateTime:t UpdateDate:d UpdateTime:t
        BPAddresses:l.BPAddress ContactEmployees:l.ContactEmployee BPBankAccounts:l.BPBankAccount""",
    "BPAddress": """
        BPCode:s RowNum:i AddressName:s AddressName2:s AddressName3:s AddressType:e.BoAddressType Street:s
        StreetNo:s Block:s BuildingFloorRoom:s ZipCode:s City:s County:s State:s Country:s FederalTaxID:s
        TaxCode:s GlobalLocationNumber:s""",
    "BPBankAccount": """
        BPCode:s InternalKey:i BankCode:s Branch:s Country:s AccountNo:s AccountName:s IBAN:s BICSwiftCode:s
        Street:s City:s ZipCode:s ControlKey:s""",
    "ContactEmployee": """
        CardCode:s InternalCode:i Name:s FirstName:s LastName:s Position:s Phone1:s MobilePhone:s E_Mail:s
        Active:y""",
    "PaymentTermsType": """
        GroupNumber:i PaymentTermsGroupName:s StartFrom:e.BoPayTermDueTypes NumberOfAdditionalMonths:i
        NumberOfAdditionalDays:i CreditLimit:n GeneralDiscount:n InterestOnArrears:n PriceListNo:i LoadLimit:n
        DiscountCode:s DunningCode:s NumberOfInstallments:i NumberOfToleranceDays:i""",
    "ChartOfAccount": """
        Code:s Name:s ForeignName:s FormatCode:s ExternalCode:s Balance:n ActiveAccount:y CashAccount:y
        FatherAccountKey:s AccountLevel:i AccountType:e.BoAccountTypes AcctCurrency:s LockManualTransaction:y
        BlockManualPosting:y Protected:y ValidFor:y ValidFrom:d ValidTo:d FrozenFor:y FrozenFrom:d FrozenTo:d
        ProjectRelevant:y DistributionRuleRelevant:y DistributionRule2Relevant:y DefaultVatGroup:s Details:s
        DataExportCode:s ProjectCode:s BPLID:i BPLName:s""",
    "ProfitCenter": """
        CenterCode:s CenterName:s GroupCode:s InWhichDimension:i CostCenterType:s EffectiveFrom:d EffectiveTo:d
        Active:y CenterOwner:i""",
    "Dimension": "DimensionCode:i DimensionName:s IsActive:y DimensionDescription:s",
    "VatGroup": """
        Code:s Name:s Category:e.BoVatCategoryEnum TaxAccount:s EU:y Inactive:y AcquisitionReverse:y
        VatGroups_Lines:l.VatGroups_Line""",
    "VatGroups_Line": "Effectivefrom:d Rate:n EqualizationTax:n DatevCode:i",
    "Currency": "Code:s Name:s DocumentsCode:s InternationalDescription:s Decimals:e.CurrenciesDecimalsEnum",
    "BusinessPlace": "BPLID:i BPLName:s BPLNameForeign:s VATRegNum:s MainBPL:y Disabled:y City:s Country:s",
    "AdminInfo": "CompanyName:s Country:s LocalCurrency:s SystemCurrency:s FederalTaxID:s",
    "Document": """
        DocEntry:i DocNum:i DocType:e.BoDocumentTypes HandWritten:y Series:i DocObjectCode:e.BoObjectTypes
        DocDate:d DocDueDate:d TaxDate:d VatDate:d RequriedDate:d CancelDate:d ClosingDate:d DocTime:t
        CardCode:s CardName:s Address:s Address2:s NumAtCard:s Reference1:s Reference2:s Comments:s JournalMemo:s
        OpeningRemarks:s ClosingRemarks:s PaymentReference:s FederalTaxID:s Indicator:s Project:s
        DocCurrency:s DocRate:n DiscountPercent:n TotalDiscount:n
        DocTotal:n DocTotalFc:n DocTotalSys:n VatSum:n VatSumFc:n VatSumSys:n VatPercent:n BaseAmount:n
        BaseAmountFC:n Rounding:y RoundingDiffAmount:n RoundingDiffAmountFC:n WTAmount:n WTAmountFC:n WTApplied:n
        PaidToDate:n PaidToDateFC:n PaidToDateSys:n DownPayment:n
        PaymentGroupCode:i PaymentMethod:s PaymentBlock:y PaymentBlockEntry:i NumberOfInstallments:i
        ControlAccount:s AttachmentEntry:i SalesPersonCode:i ContactPersonCode:i DocumentsOwner:i UserSign:i
        TransNum:i FinancialPeriod:i PayToCode:s ShipToCode:s PayToBankCode:s PayToBankAccountNo:s
        PayToBankCountry:s LanguageCode:i
        BPL_IDAssignedToInvoice:i BPLName:s VATRegNum:s
        DocumentStatus:e.BoStatus InventoryStatus:e.BoStatus Cancelled:y CancelStatus:e.CancelStatusEnum Confirmed:y
        AuthorizationStatus:e.DocumentAuthorizationStatusEnum ReserveInvoice:y PartialSupply:y
        CreationDate:d UpdateDate:d UpdateTime:t
        DocumentLines:l.DocumentLine DocumentInstallments:l.DocumentInstallment""",
    "DocumentInstallment": "InstallmentId:i DueDate:d Percentage:n Total:n TotalFC:n PaymentOrdered:y",
    "DocumentLine": """
        DocEntry:i LineNum:i VisualOrder:i LineStatus:e.BoStatus ItemCode:s ItemDescription:s ItemDetails:s
        SupplierCatNum:s FreeText:s Text:s Quantity:n RemainingOpenQuantity:n OpenAmount:n OpenAmountFC:n
        Price:n UnitPrice:n PriceAfterVAT:n GrossPrice:n GrossTotal:n GrossTotalFC:n DiscountPercent:n Currency:s
        Rate:n LineTotal:n RowTotalFC:n VatGroup:s TaxCode:s TaxType:e.BoTaxTypes TaxLiable:y TaxTotal:n NetTaxAmount:n
        NetTaxAmountFC:n TaxPercentagePerRow:n AccountCode:s CostingCode:s CostingCode2:s CostingCode3:s
        CostingCode4:s CostingCode5:s ProjectCode:s WarehouseCode:s UoMCode:s UoMEntry:i MeasureUnit:s
        UnitsOfMeasurment:n InventoryQuantity:n RemainingOpenInventoryQuantity:n ShipDate:d RequiredDate:d
        BaseType:i BaseEntry:i BaseLine:i WTLiable:y WithoutInventoryMovement:y""",
    "Payment": """
        DocEntry:i DocNum:i DocType:e.BoRcptTypes Series:i DocDate:d DueDate:d TaxDate:d VatDate:d
        CardCode:s CardName:s Address:s DocCurrency:s DocRate:n LocalCurrency:y
        CashAccount:s CashSum:n CashSumFC:n CheckAccount:s
        TransferAccount:s TransferSum:n TransferDate:d TransferReference:s TransferRealAmount:n
        Reference1:s Reference2:s CounterReference:s PaymentReferenceNo:s Remarks:s JournalRemarks:s
        BankCode:s BankAccount:s PayToBankCode:s PayToBankAccountNo:s PayToCode:s ProjectCode:s
        BankChargeAmount:n UnderOverpaymentdifference:n ControlAccount:s BPLID:i BPLName:s
        Cancelled:y CancelStatus:e.CancelStatusEnum AuthorizationStatus:e.PaymentsAuthorizationStatusEnum
        PaymentInvoices:l.PaymentInvoice""",
    "PaymentInvoice": """
        LineNum:i DocEntry:i DocNum:i SumApplied:n AppliedFC:n AppliedSys:n DocRate:n DocLine:i
        InvoiceType:e.BoRcptInvTypes DiscountPercent:n PaidSum:n InstallmentId:i LinkDate:d""",
}
