"""What the kernels share: the register types of lanes.h, and plain structs for a pack of networks."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from "lanes.h" nogil:
    ctypedef double real
    ctypedef double vec
    const int LANES
    const real SMALLEST_NORMAL, SMALLEST_SQUARED
    vec splat(real x)
    vec vfma(vec a, vec b, vec c)
    vec vsqrt(vec x)
    vec choose_gt(vec a, vec b, vec yes, vec no)
    vec choose_le(vec a, vec b, vec yes, vec no)
    vec choose_eq(vec a, vec b, vec yes, vec no)
    vec squarable(vec x)
    real rfma(real a, real b, real c)
    real within_reach(double x)
    vec vabs(vec x)
    vec sign_of(vec x)
    vec load_lanes(const real *p)
    real lane_of(vec x, int lane)
    void set_lane(vec *x, int lane, real value)
    vec negative(vec x)
    ctypedef uint64_t control_word
    control_word enter_contract()
    void leave_contract(control_word found)

cdef extern from "mathematics.h" nogil:
    vec vexp(vec x)
    vec vlog(vec x)
    vec softplus_from(vec e, vec x, vec *sigmoid)

cdef extern from "activations.h" nogil:
    bint is_cheap(int activation)
    bint keeps_slope(int activation)
    bint keeps_zero(int activation)
    void activate(int activation, vec *z, vec *slope, Py_ssize_t count)
    void multiply_by_slope(int activation, vec *delta, const vec *a, const vec *slope, Py_ssize_t count)

cdef extern from "descent.h" nogil:
    const int GRADIENT_DESCENT, MOMENTUM, NESTEROV, RMSPROP, ADAM, ADAMW
    ctypedef struct descent:
        vec rate, root_correction, shrink, scale, l1, l2, first, first_rest, second, second_rest, epsilon
        vec *parameters
        vec *first_state
        vec *second_state
        vec least, smallest
        int optimizer, clipped, regularized, has_l1, has_l2, shrinks
    bint steps_in_tiles(const descent *d)
    void descend_line(const descent *d, Py_ssize_t place, const vec *sums, Py_ssize_t count, int penalized)
    void descend_rows(
        const descent *d, Py_ssize_t place, Py_ssize_t stride, const vec *sums, Py_ssize_t rows, Py_ssize_t columns,
        int penalized)

cdef extern from "product.h" nogil:
    const int DROPPED
    ctypedef struct product:
        const void *a
        const vec *b
        vec *c
        Py_ssize_t a_m, a_k, b_n, b_k, c_m, m, n, k
        int shared, resumes
        Py_ssize_t narrowest_m, narrowest_n
        const vec *present_m
        const vec *present_n
        int activation
        const vec *bias
        const vec *value
        const vec *slope
        vec *bias_gradient
        const descent *update
        Py_ssize_t place
        vec *weight_gradient
        Py_ssize_t value_m
    const int COLUMNS_FORWARD, COLUMNS_BACK
    void move_columns(product *p, Py_ssize_t step, Py_ssize_t count)
    void forward_terms(const product *p, Py_ssize_t first, Py_ssize_t last)
    void forward_product(const product *p)
    void input_gradient_product(const product *p)
    void weight_gradient_product(const product *p)
    void gradients_of_one_unit(const product *p)

cdef extern from "scalars.h" nogil:
    const int SCHEDULE_FIELDS
    double learning_rate(const double *schedule, int64_t stride, int64_t t)
    double root "sqrt" (double x)
    void shuffle_order(
        uint64_t seed, uint64_t epoch, int64_t n, int64_t first, int64_t last, int64_t *order, int64_t stride)
    uint64_t dropout_key(uint64_t seed, uint64_t layer, uint64_t update)
    uint32_t dropout_word(uint32_t key_low, uint32_t key_high, uint32_t counter)

# The codes of encoding.py.
cdef enum:
    STAGE_DENSE = 0
    STAGE_DROPOUT = 1

# Rows of `hyper`, a register each. The first three serve every optimizer.
cdef enum:
    L1 = 0
    L2 = 1
    CLIP = 2
    FIRST = 3     # momentum | decay | beta1
    FIRST_REST = 4  # 1 - dampening | 1 - decay | 1 - beta1
    SECOND = 5    # beta2
    SECOND_REST = 6
    EPSILON = 7
    DECAY = 8     # AdamW's weight decay
    HYPER_ROWS = 9

cdef enum:
    SLICES = 8          # a minibatch of more than SLICED samples is summed in SLICES slices
    SLICED = 256
    FIRST_CACHE = 1 << 15  # bytes for which a core's fastest cache has room, however small it is

# A block of activations [sample][unit]: a register per entry, or one real where all lanes share the data.
cdef struct Block:
    void *data
    int64_t stride
    int shared

# A stage of the forward pass, one per layer. A row of its blocks and weights has `columns` registers: one per unit,
# or where the lanes are units, one per LANES units; rows are `stride` apart.
cdef struct Stage:
    int kind, activation
    int64_t layer       # position in the network, for the counters of dropout
    int64_t inputs, units, columns, stride
    int64_t weight, bias  # offsets into the parameters; bias -1: none
    vec *output
    vec *slope          # derivative of the activation (or dropout's scale), where the output does not give it
    vec *turned         # where the lanes are units: the weights [unit][input], for the gradient by the inputs
    int64_t dropout     # row of the dropout tables
    const int64_t *lane_units  # how many of the units a lane has; the others are padding, kept at +0
    int64_t narrowest   # the fewest units of a lane
    vec *present        # [units - narrowest]: 1 in the lanes that have the unit, else 0

# A parameter: `inputs` rows of `units` (one row for a bias), at `start` among the parameters.
cdef struct Tensor:
    int64_t stage, start, inputs, units, columns, stride
    bint is_weight        # penalties are for weights

cdef struct Data:
    const real *features   # (rows, inputs)
    const real *targets    # (rows, target width)
    const double *weights  # (rows,) or NULL

# Rows of the data in the order of use: one index for all lanes, or one per lane.
cdef struct Rows:
    int64_t *index
    int64_t count
    int shared

# Samples as the stages read them, in room for so many.
cdef struct Samples:
    int64_t room
    bint stay             # the same ones every time: gathered once
    bint gathered
    void *inputs          # [room][inputs]: reals that all lanes share, or registers
    vec *targets          # [room][target width]; where the lanes are units, reals
    vec *coefficients     # [room]: of the loss; where the lanes are units, reals
    vec *valid            # [room]: 1 where a sample is one of the lane's slice, else 0

# Samples that are summed together: `count` from position `first` on of rows of the data.
cdef struct Minibatch:
    const Data *data
    const Rows *rows
    int64_t first, count
    bint training         # gradients are wanted, else the score
    bint updating         # and the optimizer's step after them
    Samples *samples      # where they stand

# When a lane ends early: metric (its row in the history) or -1, ...; as encoding.py writes it.
cdef struct Stopping:
    double metric, patience, min_delta, restores_best

# A training from epoch to epoch: what is gone through, and what came of each lane so far.
cdef struct Course:
    Data data
    Data held_out
    Rows rows             # those trained on, as they were given
    Rows order            # and in the order of this epoch
    Rows held_out_rows
    int used              # lanes with a network of their own
    int metrics
    int64_t epoch, epochs, batch_size
    bint shuffle
    Stopping stopping[64]
    double *history       # [used][metrics][epochs]
    int64_t largest       # parameters of a lane
    real *kept            # [used][largest]: parameters put by when a lane ended, or at its best epoch
    bint is_kept[64]
    double best[64]
    int64_t best_epoch[64]
    int64_t ended[64]     # the epochs a lane trained for; 0: still training
    bint diverged[64]

cdef struct PackState:
    vec *arena            # all buffers below
    # the networks
    int64_t depth, inputs, outputs, target_width, size, tensors_count
    int64_t chunk         # samples worked through at a time; never changes the bits
    Stage *stages
    Tensor *tensors
    int64_t *lane_units   # [depth][LANES]
    int loss, optimizer, clipping
    int solo              # one network, whose units are the lanes
    # parameters, gradient sums of a slice, of all slices, and optimizer state, [size] registers each
    vec *parameters
    vec *slice_gradients
    vec *joined_gradients
    vec *gradients        # those of the minibatch: one of the two
    vec *first_state
    vec *second_state
    # per lane
    vec *hyper
    descent *step         # the numbers of the present update
    int fused             # the update is taken in the backward pass, a layer at a time
    double *hyper_exact   # [HYPER_ROWS][LANES], as they were given
    double *schedules     # [SCHEDULE_FIELDS][LANES]
    double *beta_power    # [2][LANES]
    uint64_t *seeds
    uint32_t *dropout_threshold  # [dropout layers][LANES]
    vec *dropout_scale
    int64_t updates
    # where a lane holds a slice of the samples: its first and last place in the minibatch (else 0 and all)
    int sliced
    int64_t *lane_first
    int64_t *lane_last
    Rows spread           # the rows of a minibatch whose slices are the lanes; count 0: never
    # the samples of a chunk, and where they stand: passing through, or among all of a full batch or of those held out
    Block input
    vec *targets
    vec *coefficients
    vec *valid
    Samples passing
    Samples full_batch
    Samples held_out
    # work space
    vec *delta  # of the stage that is gone through
    vec *deltas[2]  # room for them, where they are not left in the place of a stage's activations
    vec *zeros            # a row of them
    vec *by_unit          # a row of sums
    vec *turned_outputs   # [outputs]: of LANES samples, where the lanes are units
    vec *turned_targets
    vec *turned_delta
    vec *probabilities    # [outputs]
    vec *residuals        # [outputs]: sums of squares for R2, of the slice
    vec *squares          # [outputs]: the same of all slices
    double totals[64]     # of the minibatch, by lane: its samples, or their weights
    vec *loss_sum         # of the slice, then of the minibatch
    double *hits
    # ending early
    const volatile int *cancel
    int main_thread
    int64_t polls         # looks for the cancel flag so far
    int64_t work          # since the last look for signals
