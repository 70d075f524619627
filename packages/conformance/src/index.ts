export { bindingGuarantees } from './binding/binding-guarantees.js'
export { type DescribeBindingOptions, describeBinding } from './binding/describe-binding.js'
export type {
  BindingGuarantee,
  BindingHarness,
  HandlerIo,
  Served,
  SuiteAnswer,
  SuiteApplication,
  SuiteOptions,
  SuiteRequest,
  SuiteRoute,
} from './binding/harness.js'
export { nativeOptions } from './binding/native-options.js'
export { type BindingPoint, bindingPoints } from './binding/points.js'
export type { OpenStore } from './binding/suite-store.js'
export { type Guarantee, guaranteesByPoint, prove } from './guarantee.js'
export { type Model, type ModelRecord, type ModelStep, type ModelWrite, model } from './model.js'
export { agreesWithModel, type RandomRun } from './store/agrees-with-model.js'
export { type DescribeStoreOptions, describeStore } from './store/describe-store.js'
export type { StoreGuarantee, StoreHarness } from './store/harness.js'
export { type StorePoint, storePoints } from './store/points.js'
export { storeGuarantees } from './store/store-guarantees.js'
