//! Search, trees and text: faiss, `XGBoost`, `LightGBM`, `CatBoost`, spaCy.

use super::{Api, Argument, Form, at, device, gpu, named};

/// `"cuda:1"` or `"gpu:1"` since 2.0, `gpu_id` until then.
const XGBOOST: &[Argument] = &[named("device", Form::GpuText), named("gpu_id", Form::Index)];

/// `gpu` is `OpenCL`'s way, `cuda` CUDA's own.
const LIGHTGBM: &[Argument] = &[
    named("device_type", Form::Kind),
    named("device", Form::Kind),
    named("gpu_device_id", Form::Index),
    named("num_gpu", Form::Count),
];

/// `devices`: `"0"`, `"0:1:3"`, `"0-3"` or a list; only with `task_type="GPU"`, where
/// none means every card.
const CATBOOST: &[Argument] = &[
    named("task_type", Form::Kind),
    named("devices", Form::Ranges),
];

const SPACY: &[Argument] = &[at(0, "gpu_id", Form::Index)];

#[rustfmt::skip]
pub(super) const APIS: &[Api] = &[
    gpu("faiss.index_cpu_to_gpu", &[at(1, "device", Form::Index)], "import faiss\nfaiss.index_cpu_to_gpu(r, 1, i)"),
    gpu("faiss.index_cpu_to_all_gpus", &[at(2, "ngpu", Form::Count)], "import faiss\nfaiss.index_cpu_to_all_gpus(i, ngpu=1)")
        .all_without(&["ngpu"], "import faiss\nfaiss.index_cpu_to_all_gpus(i)"),
    gpu("faiss.index_cpu_to_gpus_list", &[at(2, "gpus", Form::Index), at(3, "ngpu", Form::Count)], "import faiss\nfaiss.index_cpu_to_gpus_list(i, gpus=[1])")
        .all_without(&["gpus", "ngpu"], "import faiss\nfaiss.index_cpu_to_gpus_list(i)"),
    gpu("faiss.index_cpu_to_gpu_multiple_py", &[at(3, "gpus", Form::Index)], "import faiss\nfaiss.index_cpu_to_gpu_multiple_py(r, i, gpus=[1])"),
    gpu("faiss.knn_gpu", &[at(7, "device", Form::Index)], "import faiss\nfaiss.knn_gpu(r, q, b, 5, device=1)"),
    device("xgboost.XGBClassifier", XGBOOST, "import xgboost\nxgboost.XGBClassifier(device=\"cuda:1\")"),
    device("xgboost.XGBRegressor", XGBOOST, "import xgboost\nxgboost.XGBRegressor(gpu_id=1)"),
    device("xgboost.XGBRanker", XGBOOST, "import xgboost\nxgboost.XGBRanker(device=\"gpu:1\")"),
    device("lightgbm.LGBMClassifier", LIGHTGBM, "import lightgbm\nlightgbm.LGBMClassifier(device_type=\"gpu\", gpu_device_id=1)"),
    device("lightgbm.LGBMRegressor", LIGHTGBM, "import lightgbm\nlightgbm.LGBMRegressor(device=\"gpu\", gpu_device_id=1)"),
    device("lightgbm.LGBMRanker", LIGHTGBM, "import lightgbm\nlightgbm.LGBMRanker(device_type=\"cuda\", num_gpu=1)"),
    device("catboost.CatBoostClassifier", CATBOOST, "import catboost\ncatboost.CatBoostClassifier(task_type=\"GPU\", devices=\"0:1\")")
        .all_with(&["task_type"], &["devices"], "import catboost\ncatboost.CatBoostClassifier(task_type=\"GPU\")"),
    device("catboost.CatBoostRegressor", CATBOOST, "import catboost\ncatboost.CatBoostRegressor(task_type=\"GPU\", devices=[1])")
        .all_with(&["task_type"], &["devices"], "import catboost\ncatboost.CatBoostRegressor(task_type=\"GPU\")"),
    device("catboost.CatBoostRanker", CATBOOST, "import catboost\ncatboost.CatBoostRanker(task_type=\"GPU\", devices=\"1-1\")")
        .all_with(&["task_type"], &["devices"], "import catboost\ncatboost.CatBoostRanker(task_type=\"GPU\")"),
    gpu("spacy.require_gpu", SPACY, "import spacy\nspacy.require_gpu(1)"),
    gpu("spacy.prefer_gpu", SPACY, "import spacy\nspacy.prefer_gpu(1)"),
    gpu("thinc.api.require_gpu", SPACY, "from thinc.api import require_gpu\nrequire_gpu(1)"),
    gpu("thinc.api.prefer_gpu", SPACY, "from thinc.api import prefer_gpu\nprefer_gpu(1)"),
    gpu("thinc.api.set_active_gpu", SPACY, "from thinc.api import set_active_gpu\nset_active_gpu(1)"),
];
